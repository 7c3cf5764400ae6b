namespace StreamMl.BatchBackfill.PointInTime;

/// <summary>One read of one entity of a view, for one spine row.</summary>
/// <param name="entity">Id of the entity in its view partition.</param>
/// <param name="spineRow">Which row asks.</param>
/// <param name="asOfUs">The time of the read.</param>
/// <param name="bound">What ends the prefix: at first an arrival time (included) or an offset (excluded); after the scan always the latter.</param>
internal struct ViewRead(int entity, int spineRow, long asOfUs, long bound)
{
    public readonly int Entity = entity;
    public readonly int SpineRow = spineRow;
    public readonly long AsOfUs = asOfUs;
    public long Bound = bound;
    public long WatermarkUs = long.MinValue;
}

/// <summary>Reads waiting for the scan to come to their prefix, ordered by their bound.</summary>
internal sealed class PendingReads
{
    private readonly List<ViewRead> reads = [];
    private bool isSorted = true;
    private int next;

    public int Count => reads.Count;

    /// <summary>Bound of the next read that is not resolved; long.MaxValue behind the last.</summary>
    public long NextBound => next < reads.Count ? reads[next].Bound : long.MaxValue;

    public bool IsDone => next == reads.Count;

    public ReadOnlySpan<ViewRead> All => System.Runtime.InteropServices.CollectionsMarshal.AsSpan(reads);

    public void Add(ViewRead read)
    {
        isSorted &= reads.Count == 0 || reads[^1].Bound <= read.Bound;
        reads.Add(read);
    }

    public void Sort()
    {
        if (!isSorted)
            reads.Sort((a, b) => a.Bound != b.Bound ? a.Bound.CompareTo(b.Bound) : a.SpineRow.CompareTo(b.SpineRow));
    }

    /// <summary>Gives the next read its prefix.</summary>
    public void Resolve(long prefixOffset, long watermarkUs)
    {
        ref var read = ref System.Runtime.InteropServices.CollectionsMarshal.AsSpan(reads)[next++];
        read.Bound = prefixOffset;
        read.WatermarkUs = watermarkUs;
    }
}
