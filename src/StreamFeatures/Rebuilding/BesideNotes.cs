using System.Buffers;
using System.Text;
using StreamMl.Shared.Log;
using StreamMl.Shared.Store;
using StreamMl.StreamFeatures.Logs;
using StreamMl.StreamFeatures.Partitions;

namespace StreamMl.StreamFeatures.Rebuilding;

/// <summary>Says in the store that versions are built beside those that run, so that nobody takes them for old ones. Thread-safe.</summary>
internal sealed class BesideNotes(IStateStore store, Retry retry)
{
    public Task BuildingAsync(IReadOnlyList<LogPlan> plans, CancellationToken cancellationToken) => NoteAsync(plans, _ => new BesideRecord(0), cancellationToken);

    /// <param name="plans">What was built.</param>
    /// <param name="taken">A worker has taken it over: it needs no note any more.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public Task EndedAsync(IReadOnlyList<LogPlan> plans, bool taken, CancellationToken cancellationToken) =>
        NoteAsync(plans, position => taken ? null : new BesideRecord(position?.Epoch ?? 0), cancellationToken);

    private async Task NoteAsync(IReadOnlyList<LogPlan> plans, Func<PositionRecord?, BesideRecord?> note, CancellationToken cancellationToken)
    {
        foreach (var view in plans.SelectMany(p => p.Views))
        {
            var first = new PartitionId(view.Log, 0);
            using var values = await retry.RunAsync(token => store.ReadAsync([LogNames.PositionKey(first, view.View.Name, view.Hash8)], token), cancellationToken);
            var value = note(values.Has(0) ? PositionRecord.Decode(values[0]) : null)?.Encode() ?? [];
            await retry.RunAsync(token => SetAsync(first, LogNames.BesideKey(view.Log, view.View.Name, view.Hash8), value, token), cancellationToken);
        }
    }

    private async Task<bool> SetAsync(PartitionId partition, string key, byte[] value, CancellationToken cancellationToken)
    {
        var commit = new StoreCommit(partition);
        commit.ValueWriter.Write(value);
        commit.EndSet(Encoding.UTF8.GetBytes(key), []);
        var result = await store.CommitAsync(commit, cancellationToken);
        return result.Status == CommitStatus.Committed ? true : throw new StoreUnavailableException($"nobody knows whether {key} was written", result.Error);
    }
}
