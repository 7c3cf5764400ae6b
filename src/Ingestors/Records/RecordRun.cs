using System.Text;

namespace StreamMl.Ingestors.Records;

/// <summary>
/// Sorted records on disk: what did not fit in memory while a source was sorted. Little-endian: arrival i64, row i64, key length i32 (-1: none) and bytes, value length
/// i32 and bytes, and for a bad row the two texts behind a length of 1 (0: good).
/// </summary>
internal sealed class RecordRun : IDisposable
{
    private readonly BinaryReader reader;
    private readonly string path;
    private byte[] buffer = new byte[1024];

    public RecordRun(string path)
    {
        this.path = path;
        reader = new BinaryReader(new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.None, 256 * 1024, FileOptions.SequentialScan), Encoding.UTF8);
        MoveNext();
    }

    public bool IsAtEnd { get; private set; }

    public long ArrivalTimeUs { get; private set; }

    public long Row { get; private set; }

    public static void Write(string path, RecordBlock records, ReadOnlySpan<int> order)
    {
        using var writer = new BinaryWriter(new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.None, 256 * 1024), Encoding.UTF8);
        foreach (var index in order)
        {
            writer.Write(records.ArrivalTimeUs(index));
            writer.Write(records.Row(index));
            writer.Write(records.HasKey(index) ? records.KeySpan(index).Length : -1);
            if (records.HasKey(index))
                writer.Write(records.KeySpan(index));
            writer.Write(records.Value(index).Length);
            writer.Write(records.Value(index));
            writer.Write(records.Problem(index) is not null);
            if (records.Problem(index) is { } problem)
            {
                writer.Write(problem.Where);
                writer.Write(problem.Reason);
            }
        }
    }

    /// <summary>Moves the record on which it stands to the block, and goes to the next.</summary>
    public void TakeTo(RecordBlock block)
    {
        var keyLength = reader.ReadInt32();
        var key = Math.Max(keyLength, 0);
        Fill(0, key);
        var value = reader.ReadInt32();
        Fill(key, value);
        var problem = reader.ReadBoolean() ? new BadRow(reader.ReadString(), reader.ReadString()) : null;
        block.AddWhole(ArrivalTimeUs, Row, buffer.AsSpan(0, key), keyLength >= 0, buffer.AsSpan(key, value), problem);
        MoveNext();
    }

    public void Dispose()
    {
        reader.Dispose();
        File.Delete(path);
    }

    private void MoveNext()
    {
        IsAtEnd = reader.BaseStream.Position == reader.BaseStream.Length;
        if (IsAtEnd)
            return;
        ArrivalTimeUs = reader.ReadInt64();
        Row = reader.ReadInt64();
    }

    private void Fill(int at, int count)
    {
        if (buffer.Length < at + count)
            Array.Resize(ref buffer, Math.Max(at + count, buffer.Length * 2));
        reader.BaseStream.ReadExactly(buffer.AsSpan(at, count));
    }
}
