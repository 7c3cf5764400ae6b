namespace StreamMl.BatchBackfill.PointInTime;

/// <summary>Counts the bytes of rows that are held in memory against a limit. Thread-safe.</summary>
internal sealed class MemoryBudget(long limitBytes)
{
    private long used;

    public long LimitBytes => limitBytes;

    public bool IsExceeded => Interlocked.Read(ref used) > limitBytes;

    public void Take(long bytes) => Interlocked.Add(ref used, bytes);

    public void Give(long bytes) => Interlocked.Add(ref used, -bytes);
}
