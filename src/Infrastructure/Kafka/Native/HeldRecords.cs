using StreamMl.Shared.Log;

namespace StreamMl.Infrastructure.Kafka.Native;

/// <summary>Records on their way to one partition, copied together. One thread at a time.</summary>
internal sealed class HeldRecords
{
    private const int LeastBytes = 16 << 10;
    private const int MaxKept = 4 << 20;

    private readonly List<Record> records = [];
    private byte[] bytes = new byte[LeastBytes];
    private int used;

    public PartitionId Target { get; set; }

    public int Count => records.Count;

    public int Bytes => used;

    public Record this[int index] => records[index];

    public void Add(ReadOnlyMemory<byte>? key, ReadOnlySpan<byte> value, long timestampUs, IReadOnlyList<KeyValuePair<string, byte[]>>? headers)
    {
        var keyBytes = key.GetValueOrDefault().Span;
        if (used + keyBytes.Length + value.Length > bytes.Length)
            Array.Resize(ref bytes, Math.Max(bytes.Length * 2, used + keyBytes.Length + value.Length));
        keyBytes.CopyTo(bytes.AsSpan(used));
        value.CopyTo(bytes.AsSpan(used + keyBytes.Length));
        records.Add(new Record(used, key?.Length ?? -1, value.Length, timestampUs, headers));
        used += keyBytes.Length + value.Length;
    }

    public ReadOnlySpan<byte> Key(in Record record) => bytes.AsSpan(record.Start, Math.Max(record.KeyLength, 0));

    public ReadOnlySpan<byte> Value(in Record record) => bytes.AsSpan(record.Start + Math.Max(record.KeyLength, 0), record.ValueLength);

    public void Clear()
    {
        records.Clear();
        used = 0;
        if (bytes.Length > MaxKept) bytes = new byte[LeastBytes];
    }

    /// <param name="Start">Where its key begins; the value follows.</param>
    /// <param name="KeyLength">-1: it has none.</param>
    /// <param name="ValueLength">In bytes.</param>
    /// <param name="TimestampUs">Of the record.</param>
    /// <param name="Headers">Null: it has none.</param>
    internal readonly record struct Record(int Start, int KeyLength, int ValueLength, long TimestampUs, IReadOnlyList<KeyValuePair<string, byte[]>>? Headers);
}
