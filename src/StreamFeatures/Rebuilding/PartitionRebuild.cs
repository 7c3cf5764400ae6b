using StreamMl.Shared;
using StreamMl.Shared.Log;
using StreamMl.StreamFeatures.Commits;
using StreamMl.StreamFeatures.Partitions;
using StreamMl.StreamFeatures.Records;

namespace StreamMl.StreamFeatures.Rebuilding;

/// <summary>What one log partition's rebuild did.</summary>
/// <param name="Partition">Which.</param>
/// <param name="FromOffset">Where the positions stood that were furthest behind.</param>
/// <param name="ToOffset">Where the stream goes on: the archive's end, or where a worker took over.</param>
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
            if (!await ProcessAsync(pipeline, slice, cancellationToken))
                return new RebuiltPartition(context.Partition, from, committed, states, TakenOver: true);
            if (!pipeline.IsFull)
                continue;
            if (await CommitAsync(pipeline, cancellationToken) is not { } written)
                return new RebuiltPartition(context.Partition, from, committed, states, TakenOver: true);
            (committed, states) = (pipeline.NextOffset, states + written);
        }

        // The archive's last file may end in markers: the stream stands behind them too.
        pipeline.SkipTo(archive.EndOffset);
        if (pipeline.NextOffset > committed)
        {
            if (await CommitAsync(pipeline, cancellationToken) is not { } written)
                return new RebuiltPartition(context.Partition, from, committed, states, TakenOver: true);
            (committed, states) = (pipeline.NextOffset, states + written);
        }

        return new RebuiltPartition(context.Partition, from, committed, states, TakenOver: false);
    }

    private static async Task<bool> ProcessAsync(PartitionPipeline pipeline, RecordSlice slice, CancellationToken cancellationToken)
    {
        try
        {
            return Stands(await pipeline.ProcessAsync(slice, cancellationToken), pipeline.NextOffset);
        }
        finally
        {
            slice.Release();
        }
    }

    /// <summary>States written; null where a worker has claimed the partition.</summary>
    private static async Task<int?> CommitAsync(PartitionPipeline pipeline, CancellationToken cancellationToken)
    {
        var pending = pipeline.BeginCommit();
        if (!Stands(await pipeline.FinishAsync(pending, cancellationToken), pending.Position.NextOffset))
            return null;
        pipeline.Committed(pending);
        return pending.States;
    }

    /// <summary>False where a worker has claimed the partition.</summary>
    /// <exception cref="SetupException">The store stands elsewhere.</exception>
    private static bool Stands(CommitVerdict verdict, long offset) => verdict switch
    {
        CommitVerdict.Committed => true,
        CommitVerdict.Fenced => false,
        _ => throw new SetupException(
            $"the store did not stand where the rebuild had left it, at offset {offset}: it went back, an answer was lost, or a record could not be delivered. "
            + "Run the rebuild again with --resume: it goes on at the store's position"),
    };
}
