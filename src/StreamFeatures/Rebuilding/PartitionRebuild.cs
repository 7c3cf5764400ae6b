using StreamMl.Shared.Log;
using StreamMl.StreamFeatures.Commits;
using StreamMl.StreamFeatures.Partitions;

namespace StreamMl.StreamFeatures.Rebuilding;

/// <summary>What one log partition's rebuild did.</summary>
/// <param name="Partition">Which.</param>
/// <param name="FromOffset">Where the positions stood that were furthest behind.</param>
/// <param name="ToOffset">Where the stream goes on: one past the last archived record, or where a worker took over.</param>
/// <param name="States">States written, one that was written in several commits counted in each.</param>
/// <param name="TakenOver">A worker claimed the partition meanwhile and goes on from <paramref name="ToOffset"/>.</param>
public sealed record RebuiltPartition(PartitionId Partition, long FromOffset, long ToOffset, long States, bool TakenOver);

/// <summary>
/// Replays one archived log partition through the stream's own pipeline, with the stream's own commits: states, position and ledger move together, so at
/// every moment the store is what a worker would have left there, and a rebuild that was cut short goes on where it was. Bounded by the options of the
/// stream worker.
/// </summary>
internal static class PartitionRebuild
{
    public static async Task<RebuiltPartition> RunAsync(PartitionContext context, ArchiveReplay archive, CancellationToken cancellationToken)
    {
        var claim = await context.Retry.RunAsync(token => Claim.TakeAsync(context.Store, context.Plan, context.Partition, token), cancellationToken);
        using var pipeline = new PartitionPipeline(context, claim);
        var (from, committed, states) = (pipeline.NextOffset, pipeline.NextOffset, 0L);
        foreach (var slice in archive.Read(from))
        {
            try
            {
                await pipeline.ProcessAsync(slice, cancellationToken);
            }
            finally
            {
                slice.Release();
            }

            if (!IsFull(pipeline, context.Options))
                continue;
            if (await CommitAsync(pipeline, cancellationToken) is not { } written)
                return new RebuiltPartition(context.Partition, from, committed, states, TakenOver: true);
            (committed, states) = (pipeline.NextOffset, states + written);
        }

        if (pipeline.UncommittedRecords > 0)
        {
            if (await CommitAsync(pipeline, cancellationToken) is not { } written)
                return new RebuiltPartition(context.Partition, from, committed, states, TakenOver: true);
            (committed, states) = (pipeline.NextOffset, states + written);
        }

        return new RebuiltPartition(context.Partition, from, committed, states, TakenOver: false);
    }

    private static bool IsFull(PartitionPipeline pipeline, StreamFeaturesOptions options) =>
        pipeline.UncommittedRecords >= options.CommitMaxRecords || pipeline.ChangedStates >= options.CommitMaxStates;

    /// <summary>States written; null where a worker has claimed the partition.</summary>
    /// <exception cref="InvalidOperationException">The store or the broker did something else than commit or refuse.</exception>
    private static async Task<int?> CommitAsync(PartitionPipeline pipeline, CancellationToken cancellationToken)
    {
        var pending = pipeline.BeginCommit();
        switch (await pipeline.FinishAsync(pending, cancellationToken))
        {
            case CommitVerdict.Committed:
                pipeline.Committed(pending);
                return pending.States;
            case CommitVerdict.Fenced:
                return null;
            default:
                throw new InvalidOperationException(
                    $"the commit at offset {pending.Position.NextOffset} of {pending.Commit.Log} did not stand: the store went back, its answer was lost, or a record could not be "
                    + "delivered. Run the rebuild again with --resume: it goes on at the store's position");
        }
    }
}
