using System.Collections.Concurrent;
using StreamMl.Shared.Events;
using StreamMl.Shared.Log;

namespace StreamMl.BatchBackfill.Logs;

/// <summary>
/// Spreads rows over partitions by key, as a producer would. Most keys are one integer; those that were met lately are not written out and
/// hashed again. Thread-safe for different batches.
/// </summary>
internal sealed class PartitionMemo(KeyFields keys, EventSchema schema, IReadOnlyList<string> fields, int partitions)
{
    private const int SlotBits = 17;
    private const ulong Mix = 0x9E37_79B9_7F4A_7C15;

    private readonly int integerKey = fields.Count == 1 && schema.Find(fields[0])?.Type == FieldType.Int64 ? schema.IndexOf(fields[0]) : -1;
    private readonly ConcurrentBag<Memo> free = [];

    public void Spread(FeedBatch into)
    {
        var target = into.Partitions.AsSpan(0, into.Count);
        if (partitions == 1)
        {
            target.Clear();
            return;
        }

        if (!free.TryTake(out var memo))
            memo = new Memo();
        if (integerKey >= 0)
            SpreadIntegers(into, target, memo);
        else
            SpreadTexts(into, target, memo.Arena);
        free.Add(memo);
    }

    private void SpreadIntegers(FeedBatch into, Span<int> target, Memo memo)
    {
        var column = into.Events.Columns[integerKey];
        var (lanes, valid) = (column.Lanes, column.Valid);
        for (var i = 0; i < target.Length; i++)
        {
            ref var slot = ref memo.Slots[(int)(((ulong)lanes[i] * Mix) >> (64 - SlotBits))];
            if (slot.Partition == 0 || slot.Lane != lanes[i] || valid[i] == 0)
                slot = (lanes[i], PartitionOf(into.Events, i, memo.Arena) + 1);
            target[i] = slot.Partition - 1;
            if (valid[i] == 0)
                slot = default;
        }
    }

    private void SpreadTexts(FeedBatch into, Span<int> target, Utf8Arena arena)
    {
        for (var i = 0; i < target.Length; i++)
            target[i] = PartitionOf(into.Events, i, arena);
    }

    private int PartitionOf(EventBatch batch, int row, Utf8Arena arena)
    {
        arena.Clear();
        var key = keys.Append(arena, batch, row);
        return key < 0 ? 0 : KeyPartitioner.PartitionOf(arena.Slice(key), partitions);
    }

    private sealed class Memo
    {
        public Utf8Arena Arena { get; } = new();

        /// <summary>A lane and its partition + 1; 0 where the slot is free.</summary>
        public (long Lane, int Partition)[] Slots { get; } = new (long, int)[1 << SlotBits];
    }
}
