using Apache.Arrow.Ipc;

namespace StreamMl.Infrastructure.Archive;

/// <summary>A mapped Arrow IPC file that lives until its last user has disposed it. Counting is thread-safe.</summary>
internal sealed class SharedFile(string path) : IDisposable
{
    private static ReadOnlySpan<byte> Magic => "ARROW1\0\0"u8;

    private readonly MappedFile file = new(path);
    private int users = 1;

    public void Retain() => Interlocked.Increment(ref users);

    /// <summary>
    /// Reads the file's messages in order. Behind its magic an Arrow file is an Arrow stream, and the stream reader, unlike the file reader,
    /// leaves the buffers where they are.
    /// </summary>
    /// <exception cref="InvalidDataException">Not an Arrow IPC file.</exception>
    public ArrowStreamReader OpenArrow()
    {
        var memory = file.Memory;
        if (memory.Length < 2 * Magic.Length || !memory.Span.StartsWith(Magic) || !memory.Span.EndsWith(Magic[..6]))
            throw new InvalidDataException($"{path} is not a complete Arrow IPC file ({memory.Length} bytes); remove it, or restore it from a copy");
        return new ArrowStreamReader(memory[Magic.Length..]);
    }

    public void Dispose()
    {
        if (Interlocked.Decrement(ref users) == 0)
            ((IDisposable)file).Dispose();
    }
}
