using StreamMl.Shared.Log;
using StreamMl.Shared.Store;
using StreamMl.StreamFeatures.Outgoing;

namespace StreamMl.StreamFeatures.Commits;

/// <summary>A commit on its way: the states are in it already, positions, ledger and routes follow when the deliveries are done.</summary>
internal sealed record PendingCommit(StoreCommit Commit, Deliveries Deliveries, LedgerCounts Ledger, PositionRecord Position)
{
    /// <summary>Per unit, the position bytes that this commit writes.</summary>
    public byte[][] NewPositions { get; set; } = [];

    /// <summary>A request whose answer was lost may still read the buffer.</summary>
    public bool BufferIsLost { get; set; }

    public int States { get; } = Commit.Keys.Count + Commit.DeletedKeys.Count;
}

/// <summary>What the store made of it.</summary>
internal enum CommitVerdict
{
    Committed,

    /// <summary>The store stands elsewhere (it went back, or an answer was lost), or a delivery failed: claim again and start over from what it says.</summary>
    StartOver,

    /// <summary>A newer owner has claimed the partition: the group will take it away.</summary>
    Fenced,
}
