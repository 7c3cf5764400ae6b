using System.Diagnostics;
using Xunit.v3;

namespace StreamMl.TestKit.Servers;

/// <summary>What this machine offers to tests.</summary>
public static class TestEnvironment
{
    private const int ShortMs = 10_000;
    private const int PullMs = 180_000;
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

    /// <summary>Null where containers of this image can be started: an engine answers, and has the image or can pull it; else why not.</summary>
    public static string? WhyNoContainer(string image)
    {
        if (WhyNoDocker is { } why) return why;
        string docker = OnPath("docker")!;
        if (Run(docker, ShortMs, "image", "inspect", "--format", "{{.Id}}", image).Code == 0) return null;
        var (code, _, error) = Run(docker, PullMs, "pull", "--quiet", image);
        return code == 0 ? null : $"the image {image} is not here and cannot be pulled: {error}";
    }

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

    // Testcontainers takes both from the environment: it would speak a newer API than an older engine knows, and its reaper needs an image of its own.
    // What a fixture starts it stops.
    private static string? AskDocker()
    {
        if (OnPath("docker") is not { } docker) return "no docker on the PATH";
        var (code, version, error) = Run(docker, ShortMs, "version", "--format", "{{.Server.APIVersion}}");
        if (code != 0) return $"no Docker engine: {error}";
        SetDefault("DOCKER_API_VERSION", version);
        SetDefault("TESTCONTAINERS_RYUK_DISABLED", "true");
        return null;
    }

    private static void SetDefault(string variable, string value)
    {
        if (string.IsNullOrEmpty(Environment.GetEnvironmentVariable(variable))) Environment.SetEnvironmentVariable(variable, value);
    }

    private static (int Code, string Output, string Error) Run(string program, int patienceMs, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { UseShellExecute = false, RedirectStandardOutput = true, RedirectStandardError = true })!;
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();
        if (process.WaitForExit(patienceMs)) return (process.ExitCode, output.Result.Trim(), error.Result.Trim());
        process.Kill(entireProcessTree: true);
        return (-1, "", $"no answer within {patienceMs / 1000} s");
    }
}
