using System.ComponentModel;
using System.Diagnostics;

namespace StreamMl.Training.Tracking;

/// <summary>The commit that a directory is at.</summary>
public static class GitCommit
{
    private const int BoundMs = 5_000;

    /// <summary>The commit's hash, with <c>-dirty</c> behind it where tracked files differ; null outside a repository or without git.</summary>
    public static string? Of(string directory)
    {
        if (Git(directory, "rev-parse", "HEAD") is not { Length: > 0 } commit)
            return null;
        return Git(directory, "status", "--porcelain", "--untracked-files=no") is { Length: 0 } ? commit : commit + "-dirty";
    }

    private static string? Git(string directory, params string[] arguments)
    {
        try
        {
            using var git = Process.Start(new ProcessStartInfo("git", arguments) { WorkingDirectory = directory, UseShellExecute = false, RedirectStandardOutput = true, RedirectStandardError = true });
            var output = git!.StandardOutput.ReadToEndAsync();
            _ = git.StandardError.ReadToEndAsync();
            if (!git.WaitForExit(BoundMs))
            {
                git.Kill();
                return null;
            }

            return git.ExitCode == 0 ? output.GetAwaiter().GetResult().Trim() : null;
        }
        catch (Win32Exception)
        {
            // There is no git on this machine: the run says that its commit is not known.
            return null;
        }
    }
}
