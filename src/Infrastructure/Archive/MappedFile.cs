using System.Buffers;
using System.IO.MemoryMappedFiles;

namespace StreamMl.Infrastructure.Archive;

/// <summary>
/// A file of up to 2 GiB as read-only memory, paged in by the operating system: reading it costs no managed memory, and Arrow arrays over it
/// copy nothing. The memory is valid until <see cref="IDisposable.Dispose"/>. Thread-safe for reading.
/// </summary>
public sealed unsafe class MappedFile : MemoryManager<byte>
{
    private readonly MemoryMappedFile? map;
    private readonly MemoryMappedViewAccessor? view;
    private readonly int length;
    private byte* start;

    /// <exception cref="InvalidDataException">The file is larger than 2 GiB.</exception>
    public MappedFile(string path)
    {
        var bytes = new FileInfo(path).Length;
        if (bytes > int.MaxValue)
            throw new InvalidDataException($"{path} has {bytes} bytes; at most {int.MaxValue} can be mapped: split it into several files");
        length = (int)bytes;
        if (length == 0)
            return;
        map = MemoryMappedFile.CreateFromFile(path, FileMode.Open, null, 0, MemoryMappedFileAccess.Read);
        view = map.CreateViewAccessor(0, 0, MemoryMappedFileAccess.Read);
        view.SafeMemoryMappedViewHandle.AcquirePointer(ref start);
        start += view.PointerOffset;
    }

    public override Span<byte> GetSpan() => new(start, length);

    public override MemoryHandle Pin(int elementIndex = 0) => new(start + elementIndex);

    public override void Unpin()
    {
        // Mapped memory does not move.
    }

    protected override void Dispose(bool disposing)
    {
        if (!disposing || view is null)
            return;
        view.SafeMemoryMappedViewHandle.ReleasePointer();
        view.Dispose();
        map!.Dispose();
        start = null;
    }
}
