using System.Text;
using StreamMl.Shared.Log;
using StreamMl.Shared.Store;

namespace StreamMl.Simulation.Tests.Cluster;

/// <summary>The store's server: what arrives is done at once and whole. Can go back to what it was, as a restored snapshot or a failover makes it.</summary>
internal sealed class SimStore(World world)
{
    private const int SnapshotsKept = 6;

    private readonly List<Dictionary<string, byte[]>> snapshots = [[]];
    private Dictionary<string, byte[]> entries = new(StringComparer.Ordinal);

    public byte[]? Get(string key) => entries.GetValueOrDefault(key);

    public IEnumerable<string> Keys => entries.Keys;

    /// <summary>Keys as text: they are ASCII here.</summary>
    public static string Text(ReadOnlySpan<byte> key) => Encoding.Latin1.GetString(key);

    public CommitResult Apply(StoreCommit commit)
    {
        var actual = new byte[]?[commit.CheckKeys.Count];
        var same = true;
        // Whoever owns a log counts it in every commit.
        var isClaim = !Enumerable.Range(0, commit.Keys.Count).Any(i => Text(commit.Keys[i]) == LogNames.LedgerKey(commit.Log));
        for (var i = 0; i < actual.Length; i++)
        {
            actual[i] = Get(Text(commit.CheckKeys[i]));
            if (world.Plant == Plant.NoCheckOfLog && !isClaim && Text(commit.CheckKeys[i]) == LogNames.SourcePositionKey(commit.Log))
                continue;
            same &= commit.MustBeAbsent(i) ? actual[i] is null : actual[i] is { } bytes && commit.Expected[i].SequenceEqual(bytes);
        }

        if (world.Plant == Plant.AdditiveWrites && !isClaim)
            AddLedger(commit);
        if (!same && (isClaim || world.Plant != Plant.NoOffsetCheck))
        {
            world.Trace.Add("refused", commit.Log);
            return new CommitResult(CommitStatus.Refused, actual);
        }

        Write(commit, isClaim);
        return CommitResult.Committed;
    }

    public StoreValues Read(PackedBytes keys) => Read(keys, Get);

    /// <summary>As a server answers that does not know yet that it is no longer the one: from an earlier moment, all of it.</summary>
    public StoreValues ReadStale(PackedBytes keys)
    {
        if (snapshots.Count == 0)
            return Read(keys);
        var then = snapshots[world.Random.Next(snapshots.Count)];
        // The bug: whoever has claimed does not compare the positions that came with the ledger, as if they were always those claimed.
        var isOfClaim = Text(keys[0]).EndsWith("!ledger", StringComparison.Ordinal);
        return Read(keys, key => world.Plant == Plant.ClaimIsNotReadAgain && isOfClaim && IsPosition(key) ? Get(key) : then.GetValueOrDefault(key));
    }

    /// <summary>Remembers what is there, to go back to.</summary>
    public void Snapshot()
    {
        if (snapshots.Count == SnapshotsKept)
            snapshots.RemoveAt(world.Random.Next(snapshots.Count));
        snapshots.Add(new Dictionary<string, byte[]>(entries, StringComparer.Ordinal));
    }

    /// <summary>Where the view that is furthest behind stands, or the log's own position.</summary>
    public long Least(PartitionId partition) => Least(entries, partition);

    /// <summary>Throws away copies that stand below the offset: their keepers know how long the log keeps its records.</summary>
    public void ForgetCopiesBelow(PartitionId partition, long offset) => snapshots.RemoveAll(s => Least(s, partition) < offset);

    /// <summary>Goes back to a moment that was remembered: all of it, or the keys of one partition (a shard that failed over).</summary>
    public void GoBack(PartitionId? only)
    {
        if (snapshots.Count == 0)
            return;
        var to = snapshots[world.Random.Next(snapshots.Count)];
        if (only is { } partition)
        {
            var tag = LogNames.HashTag(partition);
            entries = new Dictionary<string, byte[]>(
                entries.Where(e => !e.Key.StartsWith(tag, StringComparison.Ordinal)).Concat(to.Where(e => e.Key.StartsWith(tag, StringComparison.Ordinal))), StringComparer.Ordinal);
        }
        else
        {
            entries = new Dictionary<string, byte[]>(to, StringComparer.Ordinal);
        }

        world.Trace.Add("store goes back", only);
        world.Audit.WentBack(only);
    }

    private static StoreValues Read(PackedBytes keys, Func<string, byte[]?> from)
    {
        var values = new StoreValues(keys.Count);
        for (var i = 0; i < keys.Count; i++)
        {
            if (from(Text(keys[i])) is { } value)
                value.CopyTo(values.Allocate(i, value.Length));
        }

        return values;
    }

    private long Least(Dictionary<string, byte[]> of, PartitionId partition) =>
        world.Catalog.PlanOf(partition).PositionKeys(partition).Min(key => of.TryGetValue(key, out var bytes) ? PositionRecord.Decode(bytes).NextOffset : 0);

    private void Write(StoreCommit commit, bool isClaim)
    {
        for (var i = 0; i < commit.DeletedKeys.Count; i++)
            entries.Remove(Text(commit.DeletedKeys[i]));
        var written = new List<string>(commit.Keys.Count + commit.DeletedKeys.Count);
        for (var i = 0; i < commit.DeletedKeys.Count; i++)
            written.Add(Text(commit.DeletedKeys[i]));
        var later = new List<(string Key, byte[] Value)>();
        for (var i = 0; i < commit.Keys.Count; i++)
        {
            var key = Text(commit.Keys[i]);
            var value = (isClaim || !IsPosition(key) ? commit.Values[i] : Planted(commit, commit.Values[i])).ToArray();
            written.Add(key);
            if (world.Plant == Plant.TornCommit && !isClaim && IsPosition(key))
                later.Add((key, value));
            else if (world.Plant != Plant.AdditiveWrites || !key.EndsWith("!ledger", StringComparison.Ordinal))
                entries[key] = value;
        }

        if (later.Count > 0)
            world.Network.Post(null, "second half of a commit", () => later.ForEach(e => entries[e.Key] = e.Value));
        world.Trace.Add(isClaim ? "claimed" : "committed", commit.Log, PositionRecord.Decode(commit.Values[commit.Values.Count - 1]).NextOffset);
        world.Audit.Committed(commit.Log, PositionsIn(commit), written);
    }

    // The bugs: where positions differ because a view replays, all are written as if they stood where the one that is furthest behind stands, or the one furthest ahead.
    private ReadOnlySpan<byte> Planted(StoreCommit commit, ReadOnlySpan<byte> value)
    {
        if (world.Plant is not (Plant.ReplayTakesAllBack or Plant.ReplayIsTakenAlong))
            return value;
        var positions = Enumerable.Range(0, commit.Keys.Count).Where(i => IsPosition(Text(commit.Keys[i]))).Select(i => PositionRecord.Decode(commit.Values[i])).OrderBy(p => p.NextOffset).ToList();
        return positions[world.Plant == Plant.ReplayTakesAllBack ? 0 : ^1].Encode();
    }

    private static int PositionsIn(StoreCommit commit) => Enumerable.Range(0, commit.Keys.Count).Count(i => IsPosition(Text(commit.Keys[i])));

    private static bool IsPosition(string key) => key.EndsWith("!pos", StringComparison.Ordinal);

    private static long NextOffsetIn(StoreCommit commit, int check)
    {
        for (var i = 0; i < commit.Keys.Count; i++)
        {
            if (commit.Keys[i].SequenceEqual(commit.CheckKeys[check]))
                return PositionRecord.Decode(commit.Values[i]).NextOffset;
        }

        throw new InvalidOperationException("a commit checks a position that it does not write");
    }

    // The bug: the worker's increment since its base, added to whatever is there, whether the script takes the commit or not.
    private void AddLedger(StoreCommit commit)
    {
        var key = LogNames.LedgerKey(commit.Log);
        for (var i = 0; i < commit.Keys.Count; i++)
        {
            if (Text(commit.Keys[i]) != key)
                continue;
            var (from, to) = (PositionRecord.Decode(commit.Expected[0]).NextOffset, NextOffsetIn(commit, 0));
            entries[key] = LedgerRecord.Encode(LedgerRecord.Decode(Get(key)) + world.Audit.Counts(commit.Log, PositionsIn(commit), from, to));
        }
    }
}
