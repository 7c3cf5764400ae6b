using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace StreamMl.TestKit.Servers;

/// <summary>
/// One redis-server or valkey-server as a process of this test: it can be asked by its command line client, killed as by <c>kill -9</c>, stopped, and started again on the same port
/// and directory. It does not outlive the test run. Thread-safe but for start and kill.
/// </summary>
public sealed class RedisProcess : IAsyncDisposable
{
    private const int ReadyMs = 10_000;

    // The program becomes a child of a shell that dies with us; what it says first is its process id.
    private const string StartCommand =
        "program=$1; port=$2; dir=$3; shift 3; rm -f \"$dir/redis.log\"; \"$program\" \"$@\" --port \"$port\" --dir \"$dir\" --logfile \"$dir/redis.log\" >/dev/null & pid=$!; "
        + "for i in $(seq 200); do grep -qE 'Ready to accept|mode=sentinel' \"$dir/redis.log\" 2>/dev/null && break; kill -0 $pid 2>/dev/null || { tail -n 3 \"$dir/redis.log\" >&2; exit 1; }; sleep 0.05; done; echo $pid";

    private readonly string program;
    private readonly string[] arguments;
    private ChildServer? child;

    private RedisProcess(string program, int port, string[] arguments)
    {
        this.program = program;
        this.arguments = arguments;
        Port = port;
    }

    /// <summary>redis-server of this machine, or null.</summary>
    public static string? RedisServer => TestEnvironment.OnPath("redis-server");

    /// <summary>valkey-server of this machine, or null; <c>STREAMML_VALKEY</c> names one that is not on the PATH.</summary>
    public static string? ValkeyServer => Environment.GetEnvironmentVariable("STREAMML_VALKEY") is { Length: > 0 } named ? named : TestEnvironment.OnPath("valkey-server");

    public int Port { get; }

    /// <summary>Its data, if it persists any.</summary>
    public string Directory { get; } = TestEnvironment.TemporaryDirectory("redis");

    /// <summary>Host and port.</summary>
    public string Endpoint => $"127.0.0.1:{Port}";

    /// <param name="program">The server's program; skips the test where it is null.</param>
    /// <param name="arguments">Options that stand before the port, such as <c>--maxmemory 3mb</c>; none persists unless they say so.</param>
    public static async Task<RedisProcess> StartAsync(string? program, params string[] arguments)
    {
        if (program is null)
            TestEnvironment.Skip("no such server on the PATH: install Debian's redis-server, or valkey-server from its backports");
        var server = new RedisProcess(program!, FreePort(), arguments);
        await server.StartAsync();
        return server;
    }

    public static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    /// <summary>Starts it, or starts it again after <see cref="KillAsync"/> with what is in its directory.</summary>
    public async Task StartAsync()
    {
        string[] defaults = arguments.Contains("--sentinel") ? [] : ["--save", "", "--appendonly", "no"];
        child = await ChildServer.StartAsync(StartCommand, "kill -9 $pid 2>/dev/null; wait $pid", [program, Port.ToString(CultureInfo.InvariantCulture), Directory, .. Leading(), "--bind", "127.0.0.1", .. defaults, .. arguments.Where(a => a != "--sentinel")]);
    }

    /// <summary>Dead at once, as by a power cut: nothing is flushed, nobody is told.</summary>
    public async Task KillAsync()
    {
        if (child is null)
            return;
        var stopped = child;
        child = null;
        Signal("KILL", stopped.FirstLine.Trim());
        await stopped.DisposeAsync();
    }

    /// <summary>Frozen, as by a long pause of its machine; <see cref="Continue"/> wakes it.</summary>
    public void Freeze() => Signal("STOP", child!.FirstLine.Trim());

    public void Continue() => Signal("CONT", child!.FirstLine.Trim());

    /// <summary>What the server answers to one command, as its command line client prints it.</summary>
    public async Task<string> AskAsync(params string[] command)
    {
        var client = Path.Combine(Path.GetDirectoryName(program) ?? "", Path.GetFileName(program).Replace("-server", "-cli", StringComparison.Ordinal));
        using var process = Process.Start(new ProcessStartInfo(client, ["-p", Port.ToString(CultureInfo.InvariantCulture), .. command]) { UseShellExecute = false, RedirectStandardOutput = true, RedirectStandardError = true })!;
        var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync().WaitAsync(TimeSpan.FromMilliseconds(ReadyMs), TimeProvider.System);
        return process.ExitCode == 0 ? (await output).Trim() : throw new InvalidOperationException($"{string.Join(' ', command)} on {Endpoint}: {await output}{await error}");
    }

    public async ValueTask DisposeAsync()
    {
        if (child is not null)
            await child.DisposeAsync();
        System.IO.Directory.Delete(Directory, recursive: true);
    }

    // A sentinel keeps what it knows in its configuration file, so it must have one.
    private string[] Leading()
    {
        if (!arguments.Contains("--sentinel"))
            return [];
        var file = Path.Combine(Directory, "sentinel.conf");
        if (!File.Exists(file))
            File.WriteAllText(file, "");
        return [file, "--sentinel"];
    }

    private static void Signal(string signal, string pid)
    {
        using var kill = Process.Start(new ProcessStartInfo("kill", [$"-{signal}", pid]) { UseShellExecute = false })!;
        kill.WaitForExit();
    }
}
