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
        for (var i = 0; i < actual.Length; i++)
        {
            actual[i] = Get(Text(commit.CheckKeys[i]));
            same &= commit.MustBeAbsent(i) ? actual[i] is null : actual[i] is { } bytes && commit.Expected[i].SequenceEqual(bytes);
        }

        var isClaim = commit.Keys.Count == commit.CheckKeys.Count;
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

    public StoreValues Read(PackedBytes keys)
    {
        var values = new StoreValues(keys.Count);
        for (var i = 0; i < keys.Count; i++)
        {
            if (Get(Text(keys[i])) is { } value)
                value.CopyTo(values.Allocate(i, value.Length));
        }

        return values;
    }

    /// <summary>Remembers what is there, to go back to.</summary>
    public void Snapshot()
    {
        if (snapshots.Count == SnapshotsKept)
            snapshots.RemoveAt(world.Random.Next(snapshots.Count));
        snapshots.Add(new Dictionary<string, byte[]>(entries, StringComparer.Ordinal));
    }

    /// <summary>Goes back to a moment that was remembered: all of it, or the keys of one partition (a shard that failed over).</summary>
    public void GoBack(PartitionId? only)
    {
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
            var value = commit.Values[i].ToArray();
            written.Add(key);
            if (world.Plant == Plant.TornCommit && !isClaim && key.EndsWith("!pos", StringComparison.Ordinal))
                later.Add((key, value));
            else if (world.Plant != Plant.AdditiveWrites || !key.EndsWith("!ledger", StringComparison.Ordinal))
                entries[key] = value;
        }

        if (later.Count > 0)
            world.Network.Post(null, "second half of a commit", () => later.ForEach(e => entries[e.Key] = e.Value));
        world.Trace.Add(isClaim ? "claimed" : "committed", commit.Log, PositionRecord.Decode(commit.Values[commit.Values.Count - 1]).NextOffset);
        world.Audit.Committed(commit.Log, written);
    }

    // The bug: the worker's increment since its base, added to whatever is there, whether the script takes the commit or not.
    private void AddLedger(StoreCommit commit)
    {
        var key = LogNames.LedgerKey(commit.Log);
        for (var i = 0; i < commit.Keys.Count; i++)
        {
            if (Text(commit.Keys[i]) != key)
                continue;
            var sent = LedgerRecord.Decode(commit.Values[i]);
            var from = PositionRecord.Decode(commit.Expected[0]).NextOffset;
            var old = world.Audit.LedgerAt(commit.Log, from);
            var delta = new LedgerCounts(
                sent.Read - old.Read, sent.Applied - old.Applied, sent.Late - old.Late, sent.Duplicate - old.Duplicate, sent.Filtered - old.Filtered, sent.DeadLettered - old.DeadLettered);
            entries[key] = LedgerRecord.Encode(LedgerRecord.Decode(Get(key)) + delta);
        }
    }
}
