using System.Text;
using StreamMl.FeatureEngine.Log;
using StreamMl.Shared.Log;
using StreamMl.Shared.Store;

namespace StreamMl.OnlineScorer.Triggers;

/// <summary>
/// A trigger partition that this process serves: the service's position, and one per sink, kept in the store by the same compare-and-set as
/// any commit. The claim raises their epoch, so that an older owner's commit is refused. Not thread-safe.
/// </summary>
internal sealed class TriggerPartition
{
    public const int MaxClaims = 16;

    private readonly byte[][] keys;
    private readonly byte[][] stored;
    private readonly long epoch;
    private readonly long[] sinkNext;
    private PositionRecord served;

    private TriggerPartition(TriggerPlan plan, PartitionId partition, byte[][] keys, byte[][] stored, PositionRecord[] positions, long[] sinkNext)
    {
        Partition = partition;
        this.keys = keys;
        this.stored = stored;
        this.sinkNext = sinkNext;
        epoch = positions[0].Epoch;
        served = positions.MinBy(p => p.NextOffset)!;
        Gate = new LogGate(plan.Source, positions.MinBy(p => p.NextOffset)!);
        NextOffset = NotedOffset = positions.Min(p => p.NextOffset);
    }

    public PartitionId Partition { get; }

    /// <summary>The events' clocks, and which of them are bad data.</summary>
    public LogGate Gate { get; }

    /// <summary>The next event to read.</summary>
    public long NextOffset { get; set; }

    /// <summary>The first event that the sink does not have.</summary>
    public long SinkNext(int sink) => sinkNext[sink];

    /// <summary>One past the last event that the store knows to be served.</summary>
    public long NotedOffset { get; private set; }

    /// <summary>The position behind all that was read so far.</summary>
    public PositionRecord Position() => Gate.Position(epoch);

    /// <summary>All before it is with the sinks: the position of the next commit.</summary>
    public void MarkServed(PositionRecord position) => served = position;

    /// <param name="plan">The service.</param>
    /// <param name="partition">Of its trigger's topic.</param>
    /// <param name="sinks">Have positions of their own.</param>
    /// <param name="store">Keeps the positions.</param>
    /// <param name="firstOffset">Where a service begins that never had a position here.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="StoreUnavailableException">The store is away, or others keep claiming.</exception>
    public static async Task<TriggerPartition> ClaimAsync(
        TriggerPlan plan, PartitionId partition, IReadOnlyList<ITriggerSink> sinks, IStateStore store, long firstOffset, CancellationToken cancellationToken)
    {
        byte[][] storeKeys = [Encoding.UTF8.GetBytes(plan.PositionKey(partition)), .. sinks.Select(s => Encoding.UTF8.GetBytes(plan.SinkPositionKey(partition, s.Name)))];
        var packed = new PackedBytes();
        foreach (var key in storeKeys)
            packed.Add(key);
        for (var attempt = 0; attempt < MaxClaims; attempt++)
        {
            using var values = await store.ReadAsync(packed, cancellationToken);
            var service = values.Has(0) ? PositionRecord.Decode(values[0]) : PositionRecord.Start with { NextOffset = firstOffset };
            // A sink that is new starts where the service stands: what was served before it came is not its business.
            var old = Enumerable.Range(0, storeKeys.Length).Select(i => values.Has(i) ? PositionRecord.Decode(values[i]) : service).ToArray();
            var claimed = old.Select(p => p with { Epoch = old.Max(o => o.Epoch) + 1 }).ToArray();
            var bytes = claimed.Select(p => p.Encode()).ToArray();
            var commit = new StoreCommit(partition);
            for (var i = 0; i < storeKeys.Length; i++)
            {
                commit.Expect(storeKeys[i], values.Has(i) ? values[i].ToArray() : null);
                commit.Set(storeKeys[i], bytes[i]);
            }

            if ((await store.CommitAsync(commit, cancellationToken)).Status != CommitStatus.Committed)
                continue;
            // What a sink finds of its own beyond the store's record counts only where the store knew the sink: files of another store's life do not.
            var next = sinks.Select((s, i) => values.Has(i + 1) ? s.Assigned(partition, claimed[i + 1].NextOffset) : claimed[i + 1].NextOffset).ToArray();
            return new TriggerPartition(plan, partition, storeKeys, bytes, claimed, next);
        }

        throw new StoreUnavailableException($"the positions of service '{plan.Name}' on {partition} changed {MaxClaims} times while they were claimed; do two groups of workers serve it?", null);
    }

    /// <summary>
    /// Notes how far the service is (<see cref="MarkServed"/>) and, where <paramref name="sinksAreDurable"/>, the sinks with it. False: another owner has taken the partition
    /// over, and this one must stop. One at a time; what is served meanwhile belongs to the next.
    /// </summary>
    public async Task<bool> CommitAsync(IStateStore store, bool sinksAreDurable, CancellationToken cancellationToken)
    {
        var noted = served;
        var position = noted.Encode();
        var count = sinksAreDurable ? keys.Length : 1;
        if (Enumerable.Range(0, count).All(i => stored[i].AsSpan().SequenceEqual(position)))
            return true;
        while (true)
        {
            var commit = new StoreCommit(Partition);
            for (var i = 0; i < count; i++)
            {
                commit.Expect(keys[i], stored[i]);
                commit.Set(keys[i], position);
            }

            var result = await store.CommitAsync(commit, cancellationToken);
            if (result.Status == CommitStatus.Refused)
                return false;
            if (result.Status == CommitStatus.Committed || await IsThereAsync(store, position, cancellationToken))
                break;
        }

        for (var i = 0; i < count; i++)
        {
            stored[i] = position;
            if (i > 0)
                sinkNext[i - 1] = Math.Max(sinkNext[i - 1], noted.NextOffset);
        }

        NotedOffset = noted.NextOffset;

        return true;
    }

    // The answer to a commit was lost: if it was applied, the position says so; if not, the same commit is right, or is refused.
    private async Task<bool> IsThereAsync(IStateStore store, byte[] position, CancellationToken cancellationToken)
    {
        var key = new PackedBytes();
        key.Add(keys[0]);
        using var values = await store.ReadAsync(key, cancellationToken);
        return values[0].SequenceEqual(position);
    }
}
