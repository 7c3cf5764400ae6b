using CsCheck;
using Microsoft.Extensions.Logging.Abstractions;
using StreamMl.Shared.Log;
using StreamMl.StreamFeatures.Commits;
using StreamMl.StreamFeatures.Logs;
using StreamMl.StreamFeatures.Partitions;
using StreamMl.StreamFeatures.Tests.Lab;
using StreamMl.TestKit;
using StreamMl.TestKit.Store;

namespace StreamMl.StreamFeatures.Tests;

public sealed class LogRunnerTests
{
    private const int Partitions = 2;

    [Theory]
    [InlineData(1, 1 << 20)]
    [InlineData(50, 1)]
    public async Task Run_RandomLog_AllLogsReachTheStoreAndLedgersBalance(int recordsPerRead, int queuedMaxBytes)
    {
        var (broker, store) = (Filled(400), new InMemoryStateStore());
        await RunUntilDoneAsync(broker, store, recordsPerRead, queuedMaxBytes);
        await ShouldEqualStraightRunAsync(broker, store);
    }

    [Fact]
    public async Task Run_StoreGoesBackWhileIdle_IsNoticedAndReplayed()
    {
        var (broker, store) = (Filled(200), new InMemoryStateStore());
        var rolledBack = false;
        SortedDictionary<string, byte[]>? early = null;
        await RunUntilDoneAsync(broker, store, 20, 1 << 20, () =>
        {
            early ??= store.Commits > 8 ? store.Snapshot() : null;
            if (!rolledBack && early is not null && IsDone(broker, store))
            {
                store.Restore(early);
                rolledBack = true;
            }

            return rolledBack;
        });
        rolledBack.ShouldBeTrue();
        await ShouldEqualStraightRunAsync(broker, store);
    }

    [Fact]
    public async Task Run_AnswersAreLost_EndsInTheSameStore()
    {
        var (broker, store) = (Filled(300), new InMemoryStateStore());
        var count = 0;
        store.Fault = _ => (Interlocked.Increment(ref count) % 7) switch { 3 => CommitFault.LoseAnswer, 5 => CommitFault.LoseRequest, _ => CommitFault.None };
        await RunUntilDoneAsync(broker, store, 10, 1 << 20);
        await ShouldEqualStraightRunAsync(broker, store);
    }

    [Fact]
    public async Task Run_LogEndsInMarkers_PositionsMoveToItsEnd()
    {
        var (broker, store) = (Filled(200), new InMemoryStateStore());
        broker.Markers = 2;
        await RunUntilDoneAsync(broker, store, 20, 1 << 20, () => AllLogs().All(p => PositionOf(store, p) == broker.End(p)));
        foreach (var log in AllLogs())
        {
            foreach (var view in LogPlan.Of(TestCatalog.Catalog).Single(p => p.Topic == log.Topic).PositionKeys(log))
                PositionRecord.Decode(store.Snapshot()[view]).NextOffset.ShouldBe(broker.End(log), view);
        }
    }

    [Fact]
    public async Task Run_StoreGoesBackUnderALogThatEndsInMarkers_NothingIsSkipped()
    {
        var (broker, store) = (Filled(200), new InMemoryStateStore());
        broker.Markers = 1;
        SortedDictionary<string, byte[]>? early = null;
        var rolledBack = false;
        await RunUntilDoneAsync(broker, store, 20, 1 << 20, () =>
        {
            early ??= store.Commits > 8 ? store.Snapshot() : null;
            if (!rolledBack && early is not null && AllLogs().All(p => PositionOf(store, p) == broker.End(p)))
            {
                store.Restore(early);
                rolledBack = true;
            }

            return rolledBack && AllLogs().All(p => PositionOf(store, p) == broker.End(p));
        });
        foreach (var log in AllLogs())
            PipelineLab.Ledger(store, log).Read.ShouldBe(broker.Log(log).Count);
    }

    [Fact]
    public async Task Worker_GoesOnWhereNothingIsNew_HasNoLag()
    {
        var (broker, store) = (Filled(200), new InMemoryStateStore());
        await RunUntilDoneAsync(broker, store, 50, 1 << 20);
        var context = new PipelineLab(broker, store, TestCatalog.Catalog).Context(AllLogs().First(p => broker.Log(p).Count > 0));
        using var worker = new PartitionWorker(context, await Claim.TakeAsync(store, context.Plan, context.Partition, default), new NoRequests(), NullLogger.Instance);
        worker.EndSeen(broker.Log(context.Partition).Count, 0);
        worker.BeginDrain();
        await worker.Completion;
        worker.Lag.ShouldBe(0);
    }

    private static long PositionOf(InMemoryStateStore store, PartitionId partition) =>
        store.Snapshot().TryGetValue(LogNames.SourcePositionKey(partition), out var bytes) ? PositionRecord.Decode(bytes).NextOffset : 0;

    private static FakeBroker Filled(int records)
    {
        var broker = new FakeBroker(Partitions);
        RandomLog.Fill(broker, Partitions, RandomLog.Records(records, records).Single(_ => true, "0000000000000"));
        return broker;
    }

    private static async Task RunUntilDoneAsync(FakeBroker broker, InMemoryStateStore store, int recordsPerRead, long queuedMaxBytes, Func<bool>? also = null)
    {
        var options = new StreamFeaturesOptions { CommitIntervalMs = 20, IdleCheckMs = 100, RetryDelayMs = 1, QueuedMaxBytes = queuedMaxBytes };
        using var source = new FakeSource(broker, Partitions, recordsPerRead);
        using var metrics = new StreamMetrics();
        using var runner = new LogRunner(
            LogPlan.Of(TestCatalog.Catalog), source, store, broker, (_, _) => ValueTask.FromResult(TestCatalog.Avro), metrics, options, TimeProvider.System, NullLoggerFactory.Instance);
        using var stop = new CancellationTokenSource();
        var run = runner.RunAsync(stop.Token);
        await Eventually.Until(() => run.IsCompleted || ((also?.Invoke() ?? true) && IsDone(broker, store)), () => Describe(broker, store));
        await stop.CancelAsync();
        await run;
    }

    private static bool IsDone(FakeBroker broker, InMemoryStateStore store) =>
        AllLogs().All(p => PipelineLab.Ledger(store, p).Read == broker.Log(p).Count) && AllLogs().Sum(p => PipelineLab.Ledger(store, p).Read) > 0;

    private static string Describe(FakeBroker broker, InMemoryStateStore store) =>
        string.Join("; ", AllLogs().Select(p => $"{p}: {PipelineLab.Ledger(store, p)} of {broker.Log(p).Count}"));

    private static async Task ShouldEqualStraightRunAsync(FakeBroker broker, InMemoryStateStore store)
    {
        foreach (var log in AllLogs().Where(p => broker.Log(p).Count > 0))
        {
            var quiet = new FakeBroker(Partitions);
            foreach (var record in broker.Log(log))
                quiet.Append(log, record.TimestampUs, record.Key, record.Value, record.Headers);
            var straight = new InMemoryStateStore();
            await new PipelineLab(quiet, straight, TestCatalog.Catalog).RunStraightAsync(log);
            PipelineLab.Content(store, log).ShouldBe(PipelineLab.Content(straight, log), $"{log}");
            PipelineLab.Ledger(store, log).Balances.ShouldBeTrue();
        }
    }

    private static IEnumerable<PartitionId> AllLogs() =>
        LogPlan.Of(TestCatalog.Catalog).SelectMany(plan => Enumerable.Range(0, Partitions).Select(p => new PartitionId(plan.Topic, p)));

    private sealed class NoRequests : IPartitionRequests
    {
        public void Seek(PartitionWorker worker, long offset, int generation)
        {
        }

        public void Committed(PartitionId partition, long nextOffset)
        {
        }

        public void Released(PartitionId partition, long bytes)
        {
        }
    }
}
