using StreamMl.FeatureEngine.Views;
using StreamMl.Shared.Definitions;
using StreamMl.Shared.Log;
using StreamMl.Shared.Store;

namespace StreamMl.OnlineScorer.Catalogs;

/// <summary>
/// Changes everything in this process that serves by a catalogue to another one, when the store has what that defines: all of it or nothing. Whoever began with the old one
/// ends with it. Not thread-safe.
/// </summary>
internal sealed class CatalogSwitch(ServedCatalog served, IEnumerable<ICatalogUser> users, IStateStore store, TimeProvider time)
{
    private readonly Dictionary<PartitionId, long> logsAt = [];
    private Catalog? looked;

    /// <returns>Null: it is made. Else why not; the present catalogue serves on.</returns>
    /// <exception cref="StoreUnavailableException">The store is away; nothing has changed.</exception>
    public async Task<Obstacle?> TryAsync(Catalog next, CancellationToken cancellationToken)
    {
        var changes = new List<ICatalogChange>();
        try
        {
            if (await FindUnreadyAsync(next, cancellationToken) is { } unready)
                return unready;
            foreach (var user in users)
                changes.Add(await user.PrepareAsync(next, cancellationToken));
            // Before the first read, so that nobody takes what is read for old.
            await ReaderNotes.WriteAsync(store, next, time, cancellationToken);
            foreach (var change in changes)
                await change.HoldAsync();
            foreach (var change in changes)
                change.Make();
            served.Change(next);
            return null;
        }
        catch (Exception e) when (e is CatalogRefusedException or DefinitionException or ArgumentException)
        {
            return new Obstacle(ObstacleKind.Refused, e.Message);
        }
        finally
        {
            foreach (var change in changes)
                change.Dispose();
        }
    }

    /// <summary>
    /// A view that is new must stand where its log's worker stands, else values would go back in time. Both move on: it is enough to be where the worker was at the look before.
    /// </summary>
    private async Task<Obstacle?> FindUnreadyAsync(Catalog next, CancellationToken cancellationToken)
    {
        if (!ReferenceEquals(looked, next))
            logsAt.Clear();
        looked = next;
        var running = ViewProgram.CompileAll(served.Current).Select(Version).ToHashSet();
        Obstacle? unready = null;
        foreach (var program in ViewProgram.CompileAll(next).Where(p => !running.Contains(Version(p))))
        {
            for (var partition = 0; partition < program.Source.Partitions; partition++)
                unready = await FindUnreadyAsync(program, new PartitionId(program.Log, partition), cancellationToken) ?? unready;
        }

        return unready;
    }

    private async Task<Obstacle?> FindUnreadyAsync(ViewProgram program, PartitionId log, CancellationToken cancellationToken)
    {
        using var values = await store.ReadAsync([LogNames.SourcePositionKey(log), LogNames.PositionKey(log, program.View.Name, program.Hash8)], cancellationToken);
        var now = values.Has(0) ? PositionRecord.Decode(values[0]).NextOffset : 0;
        var wanted = logsAt.GetValueOrDefault(log, now);
        logsAt[log] = now;
        var name = $"view {program.View.Name}@{program.Hash8}";
        if (!values.Has(1))
            return new Obstacle(ObstacleKind.NotBuilt, $"{name} has no position on {log}: `streamml rollout` with this catalogue builds it beside the present one");
        var at = PositionRecord.Decode(values[1]).NextOffset;
        return at >= wanted
            ? null
            : new Obstacle(ObstacleKind.Behind, $"{name} is at offset {at} of {log} and its worker at {wanted}: it is being built (`streamml rollout` says when it has caught up)");
    }

    private static (string, int, string, string) Version(ViewProgram program) => (program.Log, program.Source.Partitions, program.View.Name, program.Hash8);
}
