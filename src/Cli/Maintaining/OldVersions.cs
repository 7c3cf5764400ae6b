using System.Globalization;
using StreamMl.Infrastructure.Store;
using StreamMl.Shared.Definitions;
using StreamMl.Shared.Log;
using StreamMl.Shared.Store;
using StreamMl.Shared.Time;
using StreamMl.StreamFeatures.Rebuilding;

namespace StreamMl.Cli.Maintaining;

/// <summary>
/// Whether versions that no catalogue names are really old. A catalogue says what its user believes to run; the store and the groups say who builds or reads what:
/// <list type="bullet">
/// <item>A worker raises its views' epochs to that of the log's own position with each claim, so a version whose epoch is the log's is that of the log's owner.</item>
/// <item>A rollout says so in the store, from its start until workers have taken its versions over, and it has a group.</item>
/// <item>A reader says every few seconds which versions it has.</item>
/// </list>
/// </summary>
internal sealed class OldVersions(IStateStore store, IReadOnlyList<Catalog> catalogues, TimeProvider time)
{
    /// <param name="found">What would be deleted.</param>
    /// <param name="isActive">Whether a group has members; null: nobody can tell.</param>
    /// <param name="group">The workers'.</param>
    /// <param name="stop">Ends it.</param>
    /// <exception cref="ArgumentException">Somebody builds or reads one of them.</exception>
    public async Task RequireUnusedAsync(IReadOnlyList<StoredCount> found, Func<string, Task<bool?>> isActive, string group, CancellationToken stop)
    {
        if (await isActive($"{group}{Rollout.GroupSuffix}") == true)
            throw new ArgumentException($"a rollout runs (group '{group}{Rollout.GroupSuffix}' has members), and what it builds is no old version: it ends when workers have its catalogue (`streamml features`), or stop it");
        var logs = catalogues.SelectMany(c => c.Sources.SelectMany(s => LogNames.LogsOf(c, s))).ToHashSet(StringComparer.Ordinal);
        foreach (var position in found.Select(f => f.Key).Where(k => k.Kind == StoreKeyKind.ViewPosition))
        {
            if (!await IsOwnersAsync(position, stop))
                continue;
            // Nobody claims a log that no catalogue reads any more, so its epochs stay as they are.
            if (logs.Contains(position.Log.Topic) || await isActive(group) != false)
                throw new ArgumentException($"{Name(position)} is what the worker has that owns {position.Log}, or owned it last: start the workers with this catalogue first (`streamml features`), or name theirs with --keep");
        }

        foreach (var version in found.Select(f => f.Key).Where(k => k.View.Length > 0).DistinctBy(k => (k.Log.Topic, k.View, k.Hash8)))
        {
            await RequireNoRolloutAsync(version, stop);
            await RequireNoReaderAsync(version, stop);
        }
    }

    private async Task<bool> IsOwnersAsync(StoreKey version, CancellationToken stop)
    {
        using var values = await store.ReadAsync([LogNames.SourcePositionKey(version.Log), LogNames.PositionKey(version.Log, version.View, version.Hash8)], stop);
        return values.Has(0) && values.Has(1) && PositionRecord.Decode(values[0]).Epoch == PositionRecord.Decode(values[1]).Epoch;
    }

    private async Task RequireNoRolloutAsync(StoreKey version, CancellationToken stop)
    {
        using var values = await store.ReadAsync(
            [LogNames.BesideKey(version.Log.Topic, version.View, version.Hash8), LogNames.PositionKey(new PartitionId(version.Log.Topic, 0), version.View, version.Hash8)], stop);
        if (!values.Has(0))
            return;
        var ready = BesideRecord.Decode(values[0]).ReadyEpoch;
        // Whoever took it over since then has raised its epoch.
        if (ready == 0 || !values.Has(1) || PositionRecord.Decode(values[1]).Epoch == ready)
        {
            throw new ArgumentException(
                $"{Name(version)} was built by a rollout or rebuild that {(ready == 0 ? "runs or was cut short" : "ended with it ready")}, and no worker took it over: run `streamml rollout` to its end, start the workers with its catalogue, or name that with --keep. "
                + $"If it is given up: `streamml reset {version.View} --yes --catalog ITS.yaml`");
        }
    }

    private async Task RequireNoReaderAsync(StoreKey version, CancellationToken stop)
    {
        using var values = await store.ReadAsync([LogNames.ReaderKey(version.Log.Topic, version.View, version.Hash8)], stop);
        if (!values.Has(0))
            return;
        var silence = time.GetUtcNow().UtcDateTime - TimeGrid.ToDateTime(ReaderRecord.Decode(values[0]).SeenUs);
        if (silence < ReaderRecord.Silence)
        {
            throw new ArgumentException(string.Create(
                CultureInfo.InvariantCulture,
                $"{Name(version)} is read: a `streamml serve` had it in its catalogue {Math.Max(0, silence.TotalSeconds):0} s ago. Give that the new catalogue, or stop it, and run this again {ReaderRecord.Silence.TotalSeconds:0} s later"));
        }
    }

    private static string Name(StoreKey version) => $"{version.View}@{version.Hash8}";
}
