using System.Runtime.InteropServices;

namespace StreamMl.BatchBackfill.PointInTime;

/// <summary>Native memory that rows are appended to.</summary>
internal sealed unsafe class RowBlock(int capacity, MemoryBudget budget) : IDisposable
{
    private byte* start = Allocate(capacity, budget);

    public byte* Start => start;

    public int Capacity => capacity;

    public int Used { get; set; }

    public ReadOnlySpan<byte> Bytes => new(start, Used);

    public void Dispose()
    {
        if (start is null)
            return;
        NativeMemory.Free(start);
        start = null;
        budget.Give(capacity);
    }

    private static byte* Allocate(int capacity, MemoryBudget budget)
    {
        budget.Take(capacity);
        return (byte*)NativeMemory.Alloc((nuint)capacity);
    }
}
