using System.IO.MemoryMappedFiles;

namespace StreamMl.BatchBackfill.PointInTime;

/// <summary>
/// A working file mapped into memory: larger than the memory where need be, the operating system pages it. Zeroed when new. Disjoint ranges
/// may be written by several threads.
/// </summary>
internal sealed unsafe class ScratchFile : IDisposable
{
    private readonly MemoryMappedFile map;
    private readonly MemoryMappedViewAccessor view;
    private byte* start;

    public ScratchFile(string path, long bytes)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        Length = Math.Max(bytes, 1);
        map = MemoryMappedFile.CreateFromFile(path, FileMode.OpenOrCreate, null, Length);
        view = map.CreateViewAccessor(0, Length);
        view.SafeMemoryMappedViewHandle.AcquirePointer(ref start);
        start += view.PointerOffset;
    }

    public long Length { get; }

    public byte* Start => start;

    /// <summary>Writes it through to the disk.</summary>
    public void Flush() => view.Flush();

    public void Dispose()
    {
        if (start is null)
            return;
        start = null;
        view.SafeMemoryMappedViewHandle.ReleasePointer();
        view.Dispose();
        map.Dispose();
    }
}
