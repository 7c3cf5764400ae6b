using StreamMl.FeatureEngine.Views;
using StreamMl.Shared.Log;
using StreamMl.Shared.Store;

namespace StreamMl.OnlineScorer.Reading;

/// <summary>
/// Reads features: one round trip to the store per shard for any number of requests and views, then the engine's read of each state. All values of a view's
/// partition are of one moment, the one that the answer names. Thread-safe.
/// </summary>
public sealed class FeatureReader(IStateStore store, FeatureReaderOptions options, IStoreDirectory? directory = null)
{
    /// <summary>Answers all requests of the batch.</summary>
    /// <exception cref="ViewNotReadyException">A view has no position on a partition that is read.</exception>
    /// <exception cref="TornReadException">Commits kept coming in between.</exception>
    /// <exception cref="StoreUnavailableException">The store is away; a retry may succeed.</exception>
    /// <exception cref="ArgumentException">The batch needs more store keys than the options allow.</exception>
    public async Task ReadAsync(ReadBatch batch, CancellationToken cancellationToken)
    {
        var plan = batch.Plan;
        plan.Make(batch);
        if (plan.Keys.Count > options.MaxKeysPerRead)
        {
            throw new ArgumentException(
                $"{batch.Count} requests to service '{batch.Service.Program.Name}' need {plan.Keys.Count} store keys, the limit is {options.MaxKeysPerRead}: send fewer at once, or raise MaxKeysPerRead",
                nameof(batch));
        }

        for (var attempt = 0; attempt < options.MaxTornReads; attempt++)
        {
            using var values = await store.ReadAsync(plan.Keys, cancellationToken);
            if (IsTorn(plan, values))
                continue;
            if (FindMissing(plan, values) is { } missing)
                throw await NotReadyAsync(batch.Service.Views[missing.View], missing.Partition, cancellationToken);
            Answer(batch, values);
            return;
        }

        throw new TornReadException(batch.Service.Program.Name, options.MaxTornReads);
    }

    private static bool IsTorn(ReadPlan plan, StoreValues values)
    {
        for (var i = 0; i < plan.Positions.Count; i++)
        {
            if (!values[i].SequenceEqual(values[plan.SecondOf(i)]))
                return true;
        }

        return false;
    }

    private static (int View, int Partition)? FindMissing(ReadPlan plan, StoreValues values)
    {
        for (var i = 0; i < plan.Positions.Count; i++)
        {
            if (!values.Has(i))
                return plan.Positions[i];
        }

        return null;
    }

    private async Task<ViewNotReadyException> NotReadyAsync(ServedView view, int partition, CancellationToken cancellationToken)
    {
        var log = new PartitionId(view.Log, partition);
        var others = directory is null ? [] : await directory.HashesOfAsync(log, view.Name, cancellationToken);
        return new ViewNotReadyException(view.Name, view.Hash8, log, [.. others.Where(h => h != view.Hash8)]);
    }

    private static void Answer(ReadBatch batch, StoreValues values)
    {
        var plan = batch.Plan;
        var positions = new PositionRecord[plan.Positions.Count];
        for (var i = 0; i < positions.Length; i++)
            positions[i] = PositionRecord.Decode(values[i]);
        for (var request = 0; request < batch.Count; request++)
        {
            if (batch.AsOfUs(request) == ReadBatch.LatestUs)
                batch.SetAsOf(request, Latest(batch, request, positions));
            batch.Row(request).Clear();
            for (var view = 0; view < batch.Service.Views.Count; view++)
                batch.Answers[(request * batch.Service.Views.Count) + view] = Read(batch, request, view, positions, values);
        }
    }

    private static ViewAnswer Read(ReadBatch batch, int request, int view, PositionRecord[] positions, StoreValues values)
    {
        var partition = batch.Plan.PartitionOf(request, view);
        if (partition < 0)
        {
            // A null key names no entity: there is nothing to count, so not even a count is 0. The cleared row is all null.
            var none = new ReadInfo(batch.AsOfUs(request), PositionRecord.None, -1, IsEmpty: true);
            return new ViewAnswer(partition, 0, PositionRecord.None, PositionRecord.None, batch.AsOfUs(request), none);
        }

        var position = positions[batch.Plan.PositionOf(view, partition)];
        var state = batch.Plan.StateOf(request, view);
        var info = batch.Service.Views[view].View.Read(
            state == ReadPlan.NoState ? [] : values[state], batch.AsOfUs(request), position.WatermarkUs, batch.Row(request), batch.Scratch);
        return new ViewAnswer(partition, position.NextOffset, position.WatermarkUs, position.FirstEventTimeUs, batch.AsOfUs(request), info) { FromOffset = position.FromOffset };
    }

    private static long Latest(ReadBatch batch, int request, PositionRecord[] positions)
    {
        var latest = PositionRecord.None;
        for (var view = 0; view < batch.Service.Views.Count; view++)
        {
            var partition = batch.Plan.PartitionOf(request, view);
            if (partition >= 0)
                latest = Math.Max(latest, positions[batch.Plan.PositionOf(view, partition)].WatermarkUs);
        }

        return latest == PositionRecord.None ? 0 : latest;
    }
}
