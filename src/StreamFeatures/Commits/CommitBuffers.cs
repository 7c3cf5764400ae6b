using System.Text;
using Microsoft.Extensions.Logging;
using StreamMl.Shared.Log;
using StreamMl.Shared.Store;
using StreamMl.StreamFeatures.Outgoing;
using StreamMl.StreamFeatures.Partitions;

namespace StreamMl.StreamFeatures.Commits;

/// <summary>
/// Turns what a pipeline changed into commits, knows what the store must have answered last, and judges its answers. One commit is under way at
/// a time; two buffers take turns. A <i>unit</i> is what has a position of its own: the log itself (what was read, counted, routed and dead-lettered of it) where this worker owns it,
/// and each view version over it. All units of a partition move in one commit.
/// </summary>
internal sealed partial class CommitBuffers
{
    private readonly PartitionContext context;
    private readonly IOutbox outbox;
    private readonly byte[][] positionKeys;
    private readonly byte[] ledgerKey;
    private readonly byte[] routesKey;
    private readonly long epoch;
    private readonly Dictionary<string, long[]> routes;
    private readonly Stack<StoreCommit> free = new();
    private readonly byte[][] stored;
    private readonly long[] storedNext;
    private readonly long[] countedFrom;
    private byte[][] underWay = [];

    public CommitBuffers(PartitionContext context, Claim claim, IOutbox outbox)
    {
        this.context = context;
        this.outbox = outbox;
        epoch = claim.Epoch;
        positionKeys = [.. context.Plan.PositionKeys(context.Partition).Select(Encoding.UTF8.GetBytes)];
        ledgerKey = Encoding.UTF8.GetBytes(LogNames.LedgerKey(context.Partition));
        routesKey = Encoding.UTF8.GetBytes(LogNames.RoutesKey(context.Partition));
        var positions = claim.Positions.Skip(context.Plan.OwnsLog ? 0 : 1).ToList();
        stored = [.. positions.Select(p => p.Encode())];
        storedNext = [.. positions.Select(p => p.NextOffset)];
        countedFrom = [.. positions.Select(p => p.FromOffset)];
        routes = context.Plan.Routes.ToDictionary(
            r => r.Topic, r => claim.Routes.GetValueOrDefault(r.Topic) ?? new long[context.Outboxes.PartitionCount(r.Topic)], StringComparer.Ordinal);
    }

    public StoreCommit Rent() => free.TryPop(out var commit) ? commit : new StoreCommit(context.Partition);

    public async Task<CommitVerdict> FinishAsync(PendingCommit pending, CancellationToken cancellationToken)
    {
        try
        {
            await outbox.SealAsync(pending.Deliveries, pending.Position.NextOffset, cancellationToken);
        }
        catch (DeliveryException e)
        {
            return await WhyVoidAsync(e, cancellationToken);
        }

        Complete(pending);
        var result = await context.Retry.RunAsync(token => context.Store.CommitAsync(pending.Commit, token), cancellationToken);
        return result.Status switch
        {
            CommitStatus.Committed => CommitVerdict.Committed,
            CommitStatus.Refused => Judge(result.Actual),
            _ => await ResolveAsync(pending, cancellationToken),
        };
    }

    /// <summary>Takes note of a commit that is in the store; its buffer is used again.</summary>
    public void Committed(PendingCommit pending)
    {
        for (var i = 0; i < stored.Length; i++)
        {
            stored[i] = pending.NewPositions[i];
            storedNext[i] = Math.Max(storedNext[i], pending.Position.NextOffset);
        }

        if (pending.BufferIsLost)
            return;
        pending.Commit.Clear();
        free.Push(pending.Commit);
    }

    /// <summary>Something could not be sent. A newer owner, who claims in the store first, fences senders too.</summary>
    public async Task<CommitVerdict> WhyVoidAsync(DeliveryException reason, CancellationToken cancellationToken)
    {
        Undelivered(context.Logger, context.Partition, reason.Message);
        return Judge(await ReadPositionsAsync(cancellationToken));
    }

    /// <summary>Looks when it is quiet whether the store stands where it was left, and whether readers see all that was sent.</summary>
    public async Task<CommitVerdict> VerifyAsync(CancellationToken cancellationToken)
    {
        var actual = await ReadPositionsAsync(cancellationToken);
        if (!Same(actual, stored))
            return Judge(actual);
        try
        {
            await outbox.SettleAsync(cancellationToken);
            return CommitVerdict.Committed;
        }
        catch (DeliveryException e)
        {
            return await WhyVoidAsync(e, cancellationToken);
        }
    }

    /// <summary>Adds the keys of the positions to a read.</summary>
    public void AddPositionKeys(PackedBytes keys)
    {
        foreach (var key in positionKeys)
            keys.Add(key);
    }

    /// <summary>Whether the positions in a read, from <paramref name="first"/> on, are those last written, or those of the commit under way.</summary>
    public CommitVerdict JudgePositions(StoreValues values, int first)
    {
        byte[]?[] actual = [.. Enumerable.Range(first, positionKeys.Length).Select(values.ToArray)];
        return Same(actual, stored) || Same(actual, Volatile.Read(ref underWay)) ? CommitVerdict.Committed : Judge(actual);
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Partition}: {Reason}")]
    private static partial void Undelivered(ILogger logger, PartitionId partition, string reason);

    private void Complete(PendingCommit pending)
    {
        var commit = pending.Commit;
        foreach (var (target, end) in pending.Deliveries.Ends)
        {
            if (routes.TryGetValue(target.Topic, out var ends))
                ends[target.Partition] = Math.Max(ends[target.Partition], end);
        }

        if (context.Plan.OwnsLog)
            commit.Set(ledgerKey, LedgerRecord.Encode(pending.Ledger));
        if (routes.Count > 0)
            commit.Set(routesKey, RoutesRecord.Encode(routes));
        // A unit that is ahead of a replaying one keeps its position, and is checked all the same.
        pending.NewPositions = [.. stored.Select((bytes, i) => storedNext[i] < pending.Position.NextOffset ? (pending.Position with { FromOffset = countedFrom[i] }).Encode() : bytes)];
        Volatile.Write(ref underWay, pending.NewPositions);
        for (var i = 0; i < stored.Length; i++)
        {
            commit.Expect(positionKeys[i], stored[i]);
            commit.Set(positionKeys[i], pending.NewPositions[i]);
        }
    }

    // The answer was lost. What the store says now decides; where it does not have the commit, it may yet come, so the epoch must be raised.
    private async Task<CommitVerdict> ResolveAsync(PendingCommit pending, CancellationToken cancellationToken)
    {
        var actual = await ReadPositionsAsync(cancellationToken);
        if (!Same(actual, pending.NewPositions))
            return Judge(actual);
        // The lost request may hold on to the buffer: never use it again.
        pending.BufferIsLost = true;
        return CommitVerdict.Committed;
    }

    private CommitVerdict Judge(IReadOnlyList<byte[]?> actual) =>
        actual.Any(bytes => bytes is not null && PositionRecord.Decode(bytes).Epoch > epoch) ? CommitVerdict.Fenced : CommitVerdict.StartOver;

    private async Task<byte[]?[]> ReadPositionsAsync(CancellationToken cancellationToken)
    {
        var keys = new PackedBytes(positionKeys.Length);
        AddPositionKeys(keys);
        using var values = await context.Retry.RunAsync(token => context.Store.ReadAsync(keys, token), cancellationToken);
        return [.. Enumerable.Range(0, keys.Count).Select(values.ToArray)];
    }

    private static bool Same(byte[]?[] actual, byte[][] expected) =>
        actual.Length == expected.Length && actual.Zip(expected).All(pair => pair.First is not null && pair.First.AsSpan().SequenceEqual(pair.Second));
}
