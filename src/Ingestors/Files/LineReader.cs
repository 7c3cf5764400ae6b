namespace StreamMl.Ingestors.Files;

/// <summary>Lines of a UTF-8 file as bytes, without their line ends; a byte order mark is passed over. Not thread-safe.</summary>
internal sealed class LineReader : IDisposable
{
    /// <summary>The longest line, in bytes.</summary>
    public const int MaxLineLength = 16 * 1024 * 1024;

    private readonly string path;
    private readonly FileStream file;
    private byte[] buffer = new byte[128 * 1024];
    private int start;
    private int end;
    private long lineNumber;
    private bool atEnd;

    public LineReader(string path)
    {
        this.path = path;
        file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0, FileOptions.SequentialScan);
        Fill();
        if (buffer.AsSpan(0, end).StartsWith("\uFEFF"u8))
            start = 3;
    }

    /// <summary>The next line; it is valid until the next call.</summary>
    /// <exception cref="RowFileException">A line is longer than <see cref="MaxLineLength"/>.</exception>
    public bool TryRead(out ReadOnlyMemory<byte> line)
    {
        for (var searched = start; ;)
        {
            var at = buffer.AsSpan(searched, end - searched).IndexOf((byte)'\n');
            if (at >= 0)
                return Take(searched + at, searched + at + 1, out line);
            if (atEnd)
                return start < end ? Take(end, end, out line) : None(out line);
            searched = end - start;
            Fill();
        }
    }

    public void Dispose() => file.Dispose();

    private bool Take(int lineEnd, int next, out ReadOnlyMemory<byte> line)
    {
        lineNumber++;
        var length = lineEnd - start;
        if (length > 0 && buffer[lineEnd - 1] == '\r')
            length--;
        line = buffer.AsMemory(start, length);
        start = next;
        return true;
    }

    private static bool None(out ReadOnlyMemory<byte> line)
    {
        line = default;
        return false;
    }

    /// <summary>Moves the rest to the buffer's start and reads on behind it.</summary>
    private void Fill()
    {
        buffer.AsSpan(start, end - start).CopyTo(buffer);
        end -= start;
        start = 0;
        if (end == buffer.Length)
        {
            if (buffer.Length >= MaxLineLength)
                throw new RowFileException(path, $"line {lineNumber + 1} is longer than {MaxLineLength:N0} bytes", "Split it, or check that the file has one JSON object a line");
            Array.Resize(ref buffer, buffer.Length * 2);
        }

        var read = file.Read(buffer.AsSpan(end));
        end += read;
        atEnd = read == 0;
    }
}
