using CsCheck;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using StreamMl.FeatureEngine.Views;
using StreamMl.Infrastructure.Embedded;
using StreamMl.Infrastructure.Kafka;
using StreamMl.Infrastructure.Registry;
using StreamMl.Infrastructure.Store;
using StreamMl.Shared.Definitions;
using StreamMl.Shared.Log;
using StreamMl.Shared.Store;
using StreamMl.StreamFeatures.Rebuilding;
using StreamMl.StreamFeatures.Tests.Lab;
using StreamMl.TestKit.Servers;
using static StreamMl.StreamFeatures.Tests.FeatureWorkerTests;

namespace StreamMl.StreamFeatures.Tests.Rebuilding;

/// <summary>Changed views are built beside the running ones and taken over by new workers, on this machine's most real servers.</summary>
public sealed class RolloutTests(KafkaFixture kafka, RedisFixture redis)
{
    [Fact]
    public async Task Rollout_WhileTheOldWorkerRuns_OldPositionsNeverFailAndNewValuesEqualACleanRecompute()
    {
        var stop = TestContext.Current.CancellationToken;
        await using var registry = await EmbeddedRegistry.StartAsync(cancellationToken: stop);
        var topic = TestEnvironment.UniqueName(TestCatalog.Topic);
        var old = TestCatalog.Catalog with { Sources = [TestCatalog.Source with { Topic = topic, Partitions = FeatureWorkerTests.Partitions }] };
        var next = old with { Views = [.. old.Views.Select(v => v.Name is "aircraft_landed" or "all_landed" ? v with { AllowedLateness = TimeSpan.FromMinutes(30) } : v)] };
        using var schemas = new SchemaRegistryClient(registry.Url);
        var schemaId = await schemas.RegisterAsync($"{topic}-value", TestCatalog.Avro, default);
        var store = new RedisStateStore(redis.Connection);
        var log = RandomLog.Records(3_000, 3_000).Single(_ => true, "0000000000000");
        var caughtUp = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var rollout = new Rollout(next, old, kafka.Endpoint, store, schemas, new StreamFeaturesOptions { GroupId = $"features.{topic}", IdleCheckMs = 200 }, TimeProvider.System, NullLoggerFactory.Instance)
        {
            CaughtUp = caughtUp.SetResult,
        };
        rollout.Views.Count.ShouldBe(2);

        Task<bool> running;
        using (var worker = Host(old, kafka.Endpoint, store, registry.Url))
        {
            await worker.StartAsync(stop);
            await ProduceAsync(kafka.Endpoint, topic, log[..1_500], schemaId);
            await TestKit.Eventually.Until(() => IsDoneAsync(store, old, 1_500), () => "1500");
            running = rollout.RunAsync(stay: true, stop);
            await ProduceAsync(kafka.Endpoint, topic, log[1_500..2_500], schemaId);
            var seen = new Dictionary<string, long>(StringComparer.Ordinal);
            await TestKit.Eventually.Until(async () => await PositionsGoOnAsync(store, old, seen) && caughtUp.Task.IsCompleted, () => running.Exception?.ToString() ?? "not caught up");
            await TestKit.Eventually.Until(() => IsDoneAsync(store, old, 2_500), () => "2500");
            await worker.StopAsync(stop);
        }

        running.IsCompleted.ShouldBeFalse("it keeps the new versions fresh");
        (await NoteAsync(store, next, "all_landed")).ShouldBe(new BesideRecord(0));
        using var successor = Host(next, kafka.Endpoint, store, registry.Url);
        await successor.StartAsync(stop);
        (await running.WaitAsync(TimeSpan.FromMinutes(1), stop)).ShouldBeTrue();
        (await NoteAsync(store, next, "all_landed")).ShouldBeNull("nobody may take it for old: it is the workers' own now");
        await ProduceAsync(kafka.Endpoint, topic, log[2_500..], schemaId);
        await TestKit.Eventually.Until(() => IsDoneAsync(store, next, 3_000), () => "3000");
        await successor.StopAsync(stop);
        await ViewsShouldEqualStraightRunAsync(kafka.Endpoint, store, next);
    }

    [Fact]
    public async Task Rollout_UntilReadyWithNothingToWaitFor_EndsWithoutAnError()
    {
        var topic = TestEnvironment.UniqueName(TestCatalog.Topic);
        var old = TestCatalog.With("aircraft_landed") with { Sources = [TestCatalog.Source with { Topic = topic, Partitions = FeatureWorkerTests.Partitions }] };
        var next = old with { Views = [.. old.Views.Select(v => v with { AllowedLateness = TimeSpan.FromMinutes(30) })] };
        using var admin = new TopicAdmin(kafka.Endpoint);
        await admin.EnsureTopicAsync(topic, FeatureWorkerTests.Partitions, TestContext.Current.CancellationToken);
        using var schemas = new SchemaRegistryClient("http://127.0.0.1:1");
        var caughtUp = false;
        var rollout = new Rollout(
            next, old, kafka.Endpoint, new RedisStateStore(redis.Connection), schemas, new StreamFeaturesOptions { GroupId = $"features.{topic}" }, TimeProvider.System, NullLoggerFactory.Instance)
        {
            CaughtUp = () => caughtUp = true,
        };

        (await rollout.RunAsync(stay: false, TestContext.Current.CancellationToken)).ShouldBeFalse();

        caughtUp.ShouldBeTrue();
        (await NoteAsync(new RedisStateStore(redis.Connection), next, "aircraft_landed")).ShouldNotBeNull("it waits to be taken over");
    }

    // It had built everything and said "Caught up" before it found out.
    [Fact]
    public async Task Rollout_BrokerWithoutTheGroupProtocol_SaysSoBeforeItBuildsAndWorksWithTheOther()
    {
        var stop = TestContext.Current.CancellationToken;
        await using var classic = new KafkaFixture { Settings = ["group.coordinator.rebalance.protocols=classic"] };
        await classic.InitializeAsync();
        Assert.SkipUnless(classic.Kind == ServerKind.Process, $"no broker whose settings can be chosen: {classic.Why}");
        var topic = TestEnvironment.UniqueName(TestCatalog.Topic);
        var old = TestCatalog.With("aircraft_landed") with { Sources = [TestCatalog.Source with { Topic = topic, Partitions = FeatureWorkerTests.Partitions }] };
        var next = old with { Views = [.. old.Views.Select(v => v with { AllowedLateness = TimeSpan.FromMinutes(30) })] };
        using (var admin = new TopicAdmin(classic.Endpoint))
            await admin.EnsureTopicAsync(topic, FeatureWorkerTests.Partitions, stop);
        using var schemas = new SchemaRegistryClient("http://127.0.0.1:1");
        var (store, caughtUp) = (new RedisStateStore(redis.Connection), false);
        Rollout Of(bool consumerProtocol) => new(
            next, old, classic.Endpoint, store, schemas, new StreamFeaturesOptions { GroupId = $"features.{topic}", UseConsumerProtocol = consumerProtocol }, TimeProvider.System, NullLoggerFactory.Instance)
        {
            CaughtUp = () => caughtUp = true,
        };

        (await Should.ThrowAsync<Confluent.Kafka.KafkaException>(Of(true).RunAsync(stay: false, stop))).Error.Code.ShouldBe(Confluent.Kafka.ErrorCode.UnsupportedVersion);

        caughtUp.ShouldBeFalse();
        var version = ViewProgram.Compile(next.Views[0], next.Sources[0]);
        (await ReadAsync(store, LogNames.BesideKey(version.Log, version.View.Name, version.Hash8))).ShouldBeNull();
        (await Of(false).RunAsync(stay: false, stop)).ShouldBeFalse();
        caughtUp.ShouldBeTrue();
    }

    // With Redis away it stood still and said nothing.
    [Fact]
    public async Task Rollout_StoreAwayForAWhile_SaysSoAndGoesOn()
    {
        var topic = TestEnvironment.UniqueName(TestCatalog.Topic);
        var old = TestCatalog.With("aircraft_landed") with { Sources = [TestCatalog.Source with { Topic = topic, Partitions = FeatureWorkerTests.Partitions }] };
        var next = old with { Views = [.. old.Views.Select(v => v with { AllowedLateness = TimeSpan.FromMinutes(30) })] };
        using (var admin = new TopicAdmin(kafka.Endpoint))
            await admin.EnsureTopicAsync(topic, FeatureWorkerTests.Partitions, TestContext.Current.CancellationToken);
        using var schemas = new SchemaRegistryClient("http://127.0.0.1:1");
        var said = new Journal();
        var store = new AwayStore(new RedisStateStore(redis.Connection)) { Failures = 5 };
        var rollout = new Rollout(
            next, old, kafka.Endpoint, store, schemas, new StreamFeaturesOptions { GroupId = $"features.{topic}", RetryDelayMs = 10 }, TimeProvider.System, said);

        await rollout.RunAsync(stay: false, TestContext.Current.CancellationToken);

        said.Warnings.ShouldContain(w => w.Contains("the store is away", StringComparison.Ordinal));
    }

    [Fact]
    public void Rollout_ViewOverALogThatNobodyFills_IsRefused()
    {
        using var registry = new SchemaRegistryClient("http://127.0.0.1:1");
        Should.Throw<HandOverException>(() => new Rollout(
            TestCatalog.Catalog, TestCatalog.With("aircraft_landed"), kafka.Endpoint, new RedisStateStore(redis.Connection), registry, new StreamFeaturesOptions(), TimeProvider.System, NullLoggerFactory.Instance))
            .Message.ShouldContain("rebuild --all");
    }

    /// <summary>Keeps what was warned of.</summary>
    private sealed class Journal : ILoggerFactory, ILogger
    {
        public System.Collections.Concurrent.ConcurrentQueue<string> Warnings { get; } = new();

        public ILogger CreateLogger(string categoryName) => this;

        public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException();

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Warning;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (IsEnabled(logLevel))
                Warnings.Enqueue(formatter(state, exception));
        }

        public void Dispose()
        {
        }
    }

    /// <summary>Away for the first calls.</summary>
    private sealed class AwayStore(IStateStore store) : IStateStore
    {
        private int calls;

        public int Failures { get; init; }

        public Task<CommitResult> CommitAsync(StoreCommit commit, CancellationToken cancellationToken) => IsAway ? throw new StoreUnavailableException("the store is away", null) : store.CommitAsync(commit, cancellationToken);

        public Task<StoreValues> ReadAsync(PackedBytes keys, CancellationToken cancellationToken) => IsAway ? throw new StoreUnavailableException("the store is away", null) : store.ReadAsync(keys, cancellationToken);

        private bool IsAway => Interlocked.Increment(ref calls) <= Failures;
    }

    private static async Task<BesideRecord?> NoteAsync(IStateStore store, Catalog catalog, string view)
    {
        var program = ViewProgram.Compile(catalog.View(view), catalog.Source(catalog.View(view).Source));
        return await ReadAsync(store, LogNames.BesideKey(program.Log, view, program.Hash8)) is { } bytes ? BesideRecord.Decode(bytes) : null;
    }

    /// <summary>A reader of a version fails where it has no position, or would go back.</summary>
    private static async Task<bool> PositionsGoOnAsync(IStateStore store, Catalog catalog, Dictionary<string, long> seen)
    {
        foreach (var program in ViewProgram.CompileAll(catalog))
        {
            foreach (var key in Parts(program.Log).Select(p => LogNames.PositionKey(p, program.View.Name, program.Hash8)))
            {
                var position = PositionRecord.Decode((await ReadAsync(store, key)).ShouldNotBeNull(key)).NextOffset;
                position.ShouldBeGreaterThanOrEqualTo(seen.GetValueOrDefault(key), key);
                seen[key] = position;
            }
        }

        return true;
    }
}
