using System.Collections.Concurrent;
using CsCheck;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using StreamMl.Infrastructure.Embedded;
using StreamMl.Infrastructure.Registry;
using StreamMl.Infrastructure.Store;
using StreamMl.Shared.Definitions;
using StreamMl.Shared.Log;
using StreamMl.Shared.Store;
using StreamMl.StreamFeatures.Tests.Lab;
using StreamMl.TestKit.Servers;
using static StreamMl.StreamFeatures.Tests.FeatureWorkerTests;

namespace StreamMl.StreamFeatures.Tests;

/// <summary>The hosted worker on a real cluster whose slots move and whose primaries die while records flow: every byte of the store equals a straight run over the same logs.</summary>
public sealed class ClusterWorkerTests(KafkaFixture kafka) : IDisposable
{
    private const int Records = 12_000;
    private readonly Journal journal = new();

    [Fact]
    public async Task Worker_SlotsMoveUnderIt_StoreEqualsStraightRun() => await RunAsync(RedisProcess.RedisServer, async (cluster, catalog) =>
    {
        foreach (var log in Logs(catalog))
        {
            var owner = await cluster.OwnerAsync(RedisCluster.SlotOf(log));
            var target = cluster.Nodes.Take(3).First(n => n != owner);
            await cluster.MigrateAsync(RedisCluster.SlotOf(log), target, () => Task.CompletedTask);
        }
    });

    [Fact]
    public async Task Worker_PrimariesDie_StoreEqualsStraightRun() => await RunAsync(RedisProcess.RedisServer, KillPrimariesAsync);

    [Fact]
    public async Task Worker_PrimariesOfValkeyDie_StoreEqualsStraightRun()
    {
        if (RedisProcess.ValkeyServer is null)
            TestEnvironment.Skip("no valkey-server on the PATH, and STREAMML_VALKEY names none: it is in Debian's bookworm-backports");
        await RunAsync(RedisProcess.ValkeyServer, KillPrimariesAsync);
    }

    /// <summary>A replica that fell behind is elected: the store goes back to an older prefix, and the worker with it.</summary>
    [Fact]
    public async Task Worker_FailoverTakesTheStoreBack_StoreEqualsStraightRun() => await RunAsync(RedisProcess.RedisServer, async (cluster, catalog) =>
    {
        var log = Parts(catalog.Sources[0].Topic).First();
        await cluster.CutReplicaAsync(await cluster.OwnerAsync(RedisCluster.SlotOf(log)));
        await using var connection = await cluster.Endpoint.ConnectAsync(default);
        var store = new RedisStateStore(connection);
        var before = await PositionAsync(store, log);
        await TestKit.Eventually.Until(async () => await PositionAsync(store, log) > before, () => "no commit came after the replica was cut off");
        await KillAsync(cluster, store, log);
    });

    /// <summary>A primary that keeps nothing on disk is back before its replica is elected: its slots are empty, also on the replica.</summary>
    [Fact]
    public async Task Worker_PrimaryComesBackEmpty_StoreEqualsStraightRun() => await RunAsync(RedisProcess.RedisServer, async (cluster, catalog) =>
    {
        var primary = await cluster.OwnerAsync(RedisCluster.SlotOf(Parts(catalog.Sources[0].Topic).First()));
        await primary.KillAsync();
        await primary.StartAsync();
        await cluster.WholeAsync();
    });

    private async Task KillPrimariesAsync(RedisCluster cluster, Catalog catalog)
    {
        await using var connection = await cluster.Endpoint.ConnectAsync(default);
        var store = new RedisStateStore(connection);
        foreach (var log in Parts(catalog.Sources[0].Topic))
            await KillAsync(cluster, store, log);
    }

    /// <summary>Kills the log's primary, waits until the worker commits there again, and brings the dead node back as a replica.</summary>
    private async Task KillAsync(RedisCluster cluster, IStateStore store, PartitionId log)
    {
        var last = await PositionAsync(store, log);
        var start = TimeProvider.System.GetTimestamp();
        var dead = await cluster.FailOverAsync(RedisCluster.SlotOf(log));
        var elected = TimeProvider.System.GetElapsedTime(start);
        await TestKit.Eventually.Until(() => TryAsync(async () => await PositionAsync(store, log) > last), () => $"no commit after {last} of {log}; {journal}", timeoutMs: 40_000);
        TestContext.Current.SendDiagnosticMessage($"{log}: killed at offset {last}, replica elected after {elected.TotalMilliseconds:F0} ms, commits beyond it after {TimeProvider.System.GetElapsedTime(start).TotalMilliseconds:F0} ms");
        await dead.StartAsync();
        await cluster.WholeAsync();
    }

    private async Task RunAsync(string? program, Func<RedisCluster, Catalog, Task> disturb)
    {
        if (program is null)
            TestEnvironment.Skip("no redis-server on the PATH: install Debian's redis-server and redis-tools");
        await using var cluster = await RedisCluster.StartAsync(program);
        await using var connection = await cluster.Endpoint.ConnectAsync(default);
        await using var registry = await EmbeddedRegistry.StartAsync();
        var topic = TestEnvironment.UniqueName(TestCatalog.Topic);
        var catalog = TestCatalog.Catalog with { Sources = [TestCatalog.Source with { Topic = topic, Partitions = FeatureWorkerTests.Partitions }] };
        var log = RandomLog.Records(Records, Records).Single(_ => true, "0000000000000");
        using var schemas = new SchemaRegistryClient(registry.Url);
        var schemaId = await schemas.RegisterAsync($"{topic}-value", TestCatalog.Avro, default);
        var store = new RedisStateStore(connection);
        using var host = Host(catalog, kafka.Endpoint, store, registry.Url, services => services.AddSingleton<ILoggerProvider>(journal));
        await host.StartAsync();
        using var disturbed = new CancellationTokenSource();
        var producing = Task.Run(async () =>
        {
            // Records flow as long as the cluster is disturbed; the last ones come when it has calmed.
            var sent = 0L;
            foreach (var part in log.Chunk(40).SkipLast(10))
            {
                sent += await ProduceAsync(kafka.Endpoint, topic, part, schemaId);
                if (disturbed.IsCancellationRequested)
                    break;
            }

            return sent;
        });
        await TestKit.Eventually.Until(() => HasCommittedAsync(store, catalog), () => $"the worker commits nothing; {journal}");
        await disturb(cluster, catalog);
        await disturbed.CancelAsync();
        var total = await producing + await ProduceAsync(kafka.Endpoint, topic, log[^400..], schemaId);
        await TestKit.Eventually.Until(() => TryAsync(() => IsDoneAsync(store, catalog, total)), () => $"{total} sent; {journal}");
        await host.StopAsync();
        await ShouldEqualStraightRunAsync(kafka.Endpoint, store, catalog);
    }

    public void Dispose() => journal.Dispose();

    private static Task<bool> HasCommittedAsync(IStateStore store, Catalog catalog) => TryAsync(async () =>
    {
        foreach (var log in Parts(catalog.Sources[0].Topic))
        {
            if (await ReadAsync(store, LogNames.SourcePositionKey(log)) is not { } position || PositionRecord.Decode(position).NextOffset == 0)
                return false;
        }

        return true;
    });

    private static async Task<bool> TryAsync(Func<Task<bool>> look)
    {
        try
        {
            return await look();
        }
        catch (StoreUnavailableException)
        {
            return false;
        }
    }

    private static async Task<long> PositionAsync(IStateStore store, PartitionId log) =>
        await ReadAsync(store, LogNames.SourcePositionKey(log)) is { } position ? PositionRecord.Decode(position).NextOffset : -1;

    private static IEnumerable<PartitionId> Logs(Catalog catalog) => LogNames.PartitionsOf(catalog, catalog.Sources);

    /// <summary>The last that the worker said, for a test that waits in vain.</summary>
    private sealed class Journal : ILoggerProvider, ILogger
    {
        private const int Kept = 30;
        private readonly ConcurrentQueue<string> lines = new();

        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Information;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            lines.Enqueue($"{TimeProvider.System.GetUtcNow():HH:mm:ss.fff} {formatter(state, exception)} {exception?.Message}");
            while (lines.Count > Kept)
                lines.TryDequeue(out _);
        }

        public override string ToString() => string.Join(Environment.NewLine, lines);

        public void Dispose()
        {
            // nothing is held
        }
    }
}
