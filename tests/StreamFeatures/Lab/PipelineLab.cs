using Microsoft.Extensions.Logging.Abstractions;
using StreamMl.Infrastructure.Avro;
using StreamMl.Shared.Definitions;
using StreamMl.Shared.Log;
using StreamMl.Shared.Store;
using StreamMl.StreamFeatures.Commits;
using StreamMl.StreamFeatures.Logs;
using StreamMl.StreamFeatures.Partitions;
using StreamMl.StreamFeatures.Records;
using StreamMl.TestKit.Store;

namespace StreamMl.StreamFeatures.Tests.Lab;

/// <summary>One log partition's pipeline on a fake broker and store, driven by hand.</summary>
internal sealed class PipelineLab(FakeBroker broker, InMemoryStateStore store, Catalog catalog, long residentBytes = long.MaxValue)
{
    private readonly BatchPool pool = new();

    public async Task<PartitionPipeline> OpenAsync(PartitionId partition)
    {
        var context = Context(partition);
        return new PartitionPipeline(context, await Claim.TakeAsync(store, context.Plan, partition, default));
    }

    /// <summary>Feeds up to <paramref name="count"/> records from where the pipeline stands; false at the end of the log.</summary>
    public async Task<bool> FeedAsync(PartitionPipeline pipeline, PartitionId partition, int count, int redelivered = 0)
    {
        if (broker.At(partition, Math.Max(0, pipeline.NextOffset - redelivered)) is null)
            return false;
        (await ProcessAsync(pipeline, partition, count, redelivered)).ShouldBe(CommitVerdict.Committed);
        return true;
    }

    public async Task<CommitVerdict> ProcessAsync(PartitionPipeline pipeline, PartitionId partition, int count, int redelivered = 0)
    {
        var batch = pool.Rent();
        broker.Read(partition, Math.Max(0, pipeline.NextOffset - redelivered), count + redelivered, batch.Records);
        batch.Begin(1);
        var verdict = await pipeline.ProcessAsync(new RecordSlice(batch, 0, batch.Records.Count, 0), default);
        batch.Release();
        return verdict;
    }

    public static async Task<CommitVerdict> CommitAsync(PartitionPipeline pipeline)
    {
        var pending = pipeline.BeginCommit();
        var verdict = await pipeline.FinishAsync(pending, default);
        if (verdict == CommitVerdict.Committed)
            pipeline.Committed(pending);
        return verdict;
    }

    /// <summary>Everything there is, in one commit; a log that ends in markers is read to its <paramref name="end"/>.</summary>
    public async Task RunStraightAsync(PartitionId partition, long end = 0)
    {
        using var pipeline = await OpenAsync(partition);
        while (await FeedAsync(pipeline, partition, 10_000))
        {
        }

        pipeline.SkipTo(end);
        if (pipeline.UncommittedRecords > 0)
            (await CommitAsync(pipeline)).ShouldBe(CommitVerdict.Committed);
    }

    public PartitionContext Context(PartitionId partition)
    {
        var plan = LogPlan.Of(catalog).Single(p => p.Topic == partition.Topic);
        var options = new StreamFeaturesOptions { RetryDelayMs = 1 };
        return new PartitionContext(
            plan, partition, new EventDecoderSet(plan.Source, plan.BatchSchema, (_, _) => ValueTask.FromResult(TestCatalog.Avro)), store, broker,
            new Retry(options, TimeProvider.System, NullLogger<Retry>.Instance), new StreamMetrics(), options, TimeProvider.System)
        {
            ResidentShare = () => residentBytes,
        };
    }

    /// <summary>The store without what differs from run to run: epochs, and where it began.</summary>
    public static SortedDictionary<string, string> Content(InMemoryStateStore store, PartitionId partition)
    {
        var content = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var (key, value) in store.Snapshot().Where(e => e.Key.StartsWith(LogNames.HashTag(partition), StringComparison.Ordinal)))
        {
            var bytes = key.EndsWith("!pos", StringComparison.Ordinal) ? (PositionRecord.Decode(value) with { Epoch = 0, FromOffset = 0 }).Encode() : value;
            if (!key.EndsWith("!routes", StringComparison.Ordinal))
                content.Add(key, Convert.ToHexString(bytes));
        }

        return content;
    }

    public static LedgerCounts Ledger(InMemoryStateStore store, PartitionId partition) =>
        LedgerRecord.Decode(store.Snapshot().GetValueOrDefault(LogNames.LedgerKey(partition)));
}
