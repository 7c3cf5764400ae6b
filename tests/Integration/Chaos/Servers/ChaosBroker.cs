using System.Diagnostics;
using StreamMl.Infrastructure.Kafka;
using StreamMl.TestKit.Servers;

namespace StreamMl.Integration.Tests.Chaos.Servers;

/// <summary>A real Kafka of this run's own, of one broker or three, one of which can be killed and comes back on the same port with its data. Not thread-safe.</summary>
internal sealed class ChaosBroker : IAsyncDisposable
{
    private const int Starts = 3;

    private readonly string script;
    private readonly string directory;
    private readonly ChildServer child;
    private readonly int nodes;
    private int struck;

    private ChaosBroker(string script, string directory, ChildServer child, int nodes) => (this.script, this.directory, this.child, this.nodes) = (script, directory, child, nodes);

    /// <summary>Null where one can be started; else why not.</summary>
    public static string? WhyNot =>
        Script is null ? "no kafka/kafka beside the repository"
        : TestEnvironment.OnPath("java") is null ? "no java on the PATH"
        : null;

    public KafkaEndpoint Endpoint => KafkaEndpoint.Of(child.FirstLine.Trim());

    public string Bootstrap => child.FirstLine.Trim();

    private static string? Script => TestEnvironment.SharedDirectory is { } shared && File.Exists(Path.Combine(shared, "kafka", "kafka")) ? Path.Combine(shared, "kafka", "kafka") : null;

    public static async Task<ChaosBroker> StartAsync(string directory, int sessionTimeoutMs, int nodes = 1)
    {
        // The records are as old as the purchases say: retention by time would take them.
        var settings = $"group.consumer.heartbeat.interval.ms=300 group.consumer.session.timeout.ms={sessionTimeoutMs} log.retention.ms=-1";
        var server = await ChildServer.StartAsync($"\"$1\" start \"$2\" {nodes} {settings} || exit 1", "\"$1\" kill \"$2\" >/dev/null; rm -rf \"$2\"", Script!, directory);
        return new ChaosBroker(Script!, directory, server, nodes);
    }

    /// <summary>Power off and on again, of the next one in turn.</summary>
    public async Task RestartAsync()
    {
        var node = $"{(struck++ % nodes) + 1}";
        await RunAsync("kill", directory, node);
        for (var start = 1; ; start++)
        {
            try
            {
                await RunAsync("start-node", directory, node);
                return;
            }
            catch (InvalidOperationException) when (start < Starts)
            {
                // As a supervisor would: of three, a controller that comes back in the middle of an election may end itself (seen once: "leader 2 and epoch 2 … inconsistent with current leader 3 and epoch 2").
            }
        }
    }

    public string LastLines() => string.Join(Environment.NewLine, File.ReadLines(Path.Combine(directory, "1", "kafka.log")).TakeLast(5));

    public ValueTask DisposeAsync() => child.DisposeAsync();

    private async Task RunAsync(params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(script, arguments) { UseShellExecute = false, RedirectStandardError = true, RedirectStandardOutput = true })!;
        var error = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        if (process.ExitCode != 0)
            throw new InvalidOperationException($"kafka {string.Join(' ', arguments)}: {await error}");
    }
}
