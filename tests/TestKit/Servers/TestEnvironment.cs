using System.Diagnostics;
using Xunit.v3;

namespace StreamMl.TestKit.Servers;

/// <summary>What this machine offers to tests.</summary>
public static class TestEnvironment
{
    private static readonly Lazy<string?> Shared = new(FindShared);
    private static readonly Lazy<string?> DockerRefusal = new(AskDocker);
    private static int names;

    /// <summary>What stands beside the repository (<c>STREAMML_SHARED</c>, else <c>../shared</c> from the solution); null where nothing does.</summary>
    public static string? SharedDirectory => Shared.Value;

    /// <summary><c>STREAMML_TEST_SERVERS</c>: <c>embedded</c>, <c>process</c> or <c>container</c> takes that kind only; else the best there is.</summary>
    public static ServerKind? Forced => Environment.GetEnvironmentVariable("STREAMML_TEST_SERVERS") switch
    {
        null or "" => null,
        var kind => Enum.Parse<ServerKind>(kind, ignoreCase: true),
    };

    /// <summary>Null where a Docker engine answers; else why not.</summary>
    public static string? WhyNoDocker => DockerRefusal.Value;

    /// <summary>A name that no other test of this run has, and no other run on the same server.</summary>
    public static string UniqueName(string name) => $"{name}-{Environment.ProcessId}-{Interlocked.Increment(ref names)}";

    public static string TemporaryDirectory(string name) => Directory.CreateTempSubdirectory($"streamml-{name}-").FullName;

    /// <summary>Ends the running test as skipped.</summary>
    public static void Skip(string reason) => throw new InvalidOperationException(DynamicSkipToken.Value + reason);

    /// <summary>The first file of this name on the PATH.</summary>
    public static string? OnPath(string program) => (Environment.GetEnvironmentVariable("PATH") ?? "")
        .Split(Path.PathSeparator).Select(d => Path.Combine(d, program)).FirstOrDefault(File.Exists);

    private static string? FindShared()
    {
        if (Environment.GetEnvironmentVariable("STREAMML_SHARED") is { Length: > 0 } named) return Directory.Exists(named) ? named : null;
        for (var directory = new DirectoryInfo(AppContext.BaseDirectory); directory is not null; directory = directory.Parent)
        {
            if (!File.Exists(Path.Combine(directory.FullName, "StreamMl.sln"))) continue;
            string? shared = directory.Parent is { } parent ? Path.Combine(parent.FullName, "shared") : null;
            return Directory.Exists(shared) ? shared : null;
        }

        return null;
    }

    private static string? AskDocker()
    {
        if (OnPath("docker") is not { } docker) return "no docker on the PATH";
        using var process = Process.Start(new ProcessStartInfo(docker, ["version", "--format", "{{.Server.Version}}"])
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        if (!process.WaitForExit(10_000))
        {
            process.Kill();
            return "the Docker engine does not answer";
        }

        return process.ExitCode == 0 ? null : $"no Docker engine: {process.StandardError.ReadToEnd().Trim()}";
    }
}
