namespace StreamMl.Benchmarks.Decode;

/// <summary>One stream over one array after another, so that the readers that want a stream need no new one per event.</summary>
internal sealed class ReusedStream : Stream
{
    private byte[] bytes = [];
    private int at;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => bytes.Length;

    public override long Position { get => at; set => throw new NotSupportedException(); }

    public void Set(byte[] value, int start)
    {
        bytes = value;
        at = start;
    }

    public override int ReadByte() => at < bytes.Length ? bytes[at++] : -1;

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override int Read(Span<byte> buffer)
    {
        var count = Math.Min(buffer.Length, bytes.Length - at);
        bytes.AsSpan(at, count).CopyTo(buffer);
        at += count;
        return count;
    }

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
}
