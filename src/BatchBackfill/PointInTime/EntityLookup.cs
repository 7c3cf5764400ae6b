using System.Buffers.Text;
using System.Numerics;
using StreamMl.BatchBackfill.Logs;
using StreamMl.FeatureEngine.Views;
using StreamMl.Shared.Events;
using StreamMl.Shared.Log;

namespace StreamMl.BatchBackfill.PointInTime;

/// <summary>Finds the entity that each row of a batch is of, among those of one view that are read. Thread-safe once made.</summary>
internal abstract class EntityLookup
{
    /// <summary>Whether rows are found by the text of their key, which the view's input must then write out.</summary>
    public abstract bool NeedsKeys { get; }

    /// <param name="schema">Of the batches.</param>
    /// <param name="partitions">One view's entities, by log partition.</param>
    public static EntityLookup Of(EventSchema schema, ViewPartition[] partitions)
    {
        var keys = partitions[0].View.Program.View.KeyFields;
        var column = keys.Count == 1 ? schema.IndexOf(keys[0]) : -1;
        return column >= 0 && schema.Fields[column].Type == FieldType.Int64 ? new ByInteger(partitions, column) : new ByText(partitions);
    }

    /// <summary>By row the id within its partition; -1 where the row was not decoded, is filtered, or is of an entity that nobody reads.</summary>
    public abstract void Find(FeedBatch batch, ViewInput input, int[] ids);

    /// <summary>The key of a row that is not filtered.</summary>
    public abstract ReadOnlySpan<byte> KeyOf(FeedBatch batch, ViewInput input, int row);

    private sealed class ByText(ViewPartition[] partitions) : EntityLookup
    {
        public override bool NeedsKeys => true;

        public override void Find(FeedBatch batch, ViewInput input, int[] ids)
        {
            for (var row = 0; row < batch.Count; row++)
            {
                ids[row] = -1;
                if (batch.Decoded[row] != 0 && !input.IsFiltered(row) && partitions[batch.Partitions[row]].Entities.TryFind(input.Key(row), out var id))
                    ids[row] = id;
            }
        }

        public override ReadOnlySpan<byte> KeyOf(FeedBatch batch, ViewInput input, int row) => input.Key(row);
    }

    /// <summary>A key that is one integer is looked up as it is: writing it out, hashing and comparing the text took longer than all else in a scan.</summary>
    private sealed class ByInteger : EntityLookup
    {
        private const ulong Mix = 0x9E37_79B9_7F4A_7C15;

        private readonly int column;
        private readonly int shift;
        private readonly int mask;
        private readonly Slot[] slots;

        public ByInteger(ViewPartition[] partitions, int column)
        {
            this.column = column;
            var bits = BitOperations.Log2((uint)Math.Max(8, partitions.Sum(p => p.Entities.Count))) + 2;
            (shift, mask) = (64 - bits, (1 << bits) - 1);
            slots = new Slot[1 << bits];
            foreach (var partition in partitions)
            {
                for (var id = 0; id < partition.Entities.Count; id++)
                    Add(Utf8Parser.TryParse(partition.Entities.KeyOf(id), out long key, out _) ? key : throw new InvalidOperationException("an integer key is written as its digits"), partition.Partition, id);
            }
        }

        public override bool NeedsKeys => false;

        public override void Find(FeedBatch batch, ViewInput input, int[] ids)
        {
            var lanes = batch.Events.ColumnSpan[column].Lanes;
            for (var row = 0; row < batch.Count; row++)
                ids[row] = batch.Decoded[row] != 0 && !input.IsFiltered(row) ? Find(lanes[row], batch.Partitions[row]) : -1;
        }

        public override ReadOnlySpan<byte> KeyOf(FeedBatch batch, ViewInput input, int row)
        {
            var arena = new Utf8Arena(32);
            return arena.Slice(EntityKey.Append(arena, batch.Events, [column], row));
        }

        private int Find(long key, int partition)
        {
            for (var i = (int)(((ulong)key * Mix) >> shift); ; i = (i + 1) & mask)
            {
                ref readonly var slot = ref slots[i];
                if (slot.IdPlusOne == 0)
                    return -1;
                if (slot.Key == key)
                    return slot.Partition == partition ? slot.IdPlusOne - 1 : -1;
            }
        }

        private void Add(long key, int partition, int id)
        {
            var i = (int)(((ulong)key * Mix) >> shift);
            while (slots[i].IdPlusOne != 0)
                i = (i + 1) & mask;
            slots[i] = new Slot(key, partition, id + 1);
        }

        /// <summary>One entity. It is in one partition only: that of its key. Free where the id is 0.</summary>
        private readonly record struct Slot(long Key, int Partition, int IdPlusOne);
    }
}
