using StreamMl.FeatureEngine.Services;
using StreamMl.FeatureEngine.Tiles;

namespace StreamMl.BatchBackfill.PointInTime;

/// <summary>
/// One view over one log partition: the entities that are read, their reads, and the rows of theirs that the scan finds. Entities that nobody
/// reads are not kept.
/// </summary>
internal sealed class ViewPartition(ServiceView view, int partition) : IDisposable
{
    private int[] readOrder = [];
    private int[] readStarts = [];

    public ServiceView View => view;

    public int Partition => partition;

    public EntityInterner Entities { get; } = new();

    /// <summary>Reads of what had arrived by a time; in event-time mode, of what had happened by a time.</summary>
    public PendingReads ByArrival { get; } = new();

    /// <summary>Reads of a prefix that is named by its offset.</summary>
    public PendingReads ByOffset { get; } = new();

    /// <summary>Set when the scan starts.</summary>
    public RowBuckets? Rows { get; set; }

    public int ReadCount => ByArrival.Count + ByOffset.Count;

    /// <summary>Groups the resolved reads by entity.</summary>
    public void GroupReads()
    {
        readStarts = new int[Entities.Count + 1];
        for (var i = 0; i < ReadCount; i++)
            readStarts[Read(i).Entity + 1]++;
        for (var i = 0; i < Entities.Count; i++)
            readStarts[i + 1] += readStarts[i];
        readOrder = new int[ReadCount];
        var next = readStarts.AsSpan(0, Entities.Count).ToArray();
        for (var i = 0; i < ReadCount; i++)
            readOrder[next[Read(i).Entity]++] = i;
        if (ByArrival.Count > 0 && ByOffset.Count > 0)
        {
            for (var entity = 0; entity < Entities.Count; entity++)
                readOrder.AsSpan(readStarts[entity]..readStarts[entity + 1]).Sort((a, b) => Read(a).Bound.CompareTo(Read(b).Bound));
        }
    }

    /// <summary>Indices of the entity's reads, by ascending prefix.</summary>
    public ReadOnlySpan<int> ReadsOf(int entity) => readOrder.AsSpan(readStarts[entity]..readStarts[entity + 1]);

    public ref readonly ViewRead Read(int index) => ref index < ByArrival.Count ? ref ByArrival.All[index] : ref ByOffset.All[index - ByArrival.Count];

    public void Dispose() => Rows?.Dispose();
}
