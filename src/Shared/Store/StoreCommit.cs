using System.Buffers;
using System.Text;
using StreamMl.Shared.Log;

namespace StreamMl.Shared.Store;

/// <summary>
/// One atomic change of a log partition's keys: what must still be there, and what is written if it is. All keys share the partition's hash
/// tag. Positions belong at the end of <see cref="Set(ReadOnlySpan{byte}, ReadOnlySpan{byte})"/> calls: they are written last. Reusable
/// after <see cref="CommitStatus.Committed"/> or <see cref="CommitStatus.Refused"/>; after <see cref="CommitStatus.Ambiguous"/> the buffers may
/// still be on their way and belong to the store: make a new one. Not thread-safe.
/// </summary>
public sealed class StoreCommit(PartitionId log)
{
    private readonly List<bool> mustBeAbsent = [];

    public PartitionId Log { get; } = log;

    /// <summary>The bytes that every key starts with.</summary>
    public ReadOnlyMemory<byte> HashTag { get; } = Encoding.UTF8.GetBytes(LogNames.HashTag(log));

    public PackedBytes CheckKeys { get; } = new();

    /// <summary>The expected value per checked key; empty where the key must be absent.</summary>
    public PackedBytes Expected { get; } = new();

    public PackedBytes Keys { get; } = new();

    public PackedBytes Values { get; } = new();

    public PackedBytes DeletedKeys { get; } = new();

    /// <summary>Bytes of keys and values together.</summary>
    public int ByteCount => Keys.ByteCount + Values.ByteCount + DeletedKeys.ByteCount + CheckKeys.ByteCount + Expected.ByteCount;

    public bool MustBeAbsent(int check) => mustBeAbsent[check];

    /// <param name="key">A key that nothing else but positions uses.</param>
    /// <param name="expected">Its bytes as last read or written; null: the key is absent.</param>
    public void Expect(ReadOnlySpan<byte> key, byte[]? expected)
    {
        CheckKeys.Add(key);
        Expected.Add(expected);
        mustBeAbsent.Add(expected is null);
    }

    public void Set(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        Keys.Add(key);
        Values.Add(value);
    }

    /// <summary>Where the value of <see cref="EndSet"/> is written to.</summary>
    public IBufferWriter<byte> ValueWriter => Values;

    /// <summary>Sets the key to what was written to <see cref="ValueWriter"/>; where nothing was, the key is deleted.</summary>
    public void EndSet(ReadOnlySpan<byte> keyPrefix, ReadOnlySpan<byte> keyTail)
    {
        if (Values.OpenLength == 0)
        {
            DeletedKeys.Add(keyPrefix, keyTail);
            return;
        }

        Keys.Add(keyPrefix, keyTail);
        Values.EndItem();
    }

    public void Clear()
    {
        mustBeAbsent.Clear();
        CheckKeys.Clear();
        Expected.Clear();
        Keys.Clear();
        Values.Clear();
        DeletedKeys.Clear();
    }
}
