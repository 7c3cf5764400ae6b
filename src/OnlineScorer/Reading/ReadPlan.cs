using System.IO.Hashing;
using StreamMl.Shared.Events;
using StreamMl.Shared.Log;
using StreamMl.Shared.Store;

namespace StreamMl.OnlineScorer.Reading;

/// <summary>
/// The store keys of a batch: the positions, the states (each once, however many requests want it), the positions once more. Equal
/// positions on both sides say that no commit came between, on a store that answers key by key. Pure; reused; not thread-safe.
/// </summary>
internal sealed class ReadPlan
{
    public const int NoState = -1;

    private readonly ServedService service;
    private readonly Utf8Arena entityKeys = new();
    private readonly int[][] positionIndexes;
    private readonly List<(int View, int Partition)> positions = [];
    private long[] entityLanes = [];
    private int[] partitions = [];
    private int[] states = [];
    private int[] slots = new int[64];
    private int[] stateViews = [];

    public ReadPlan(ServedService service)
    {
        this.service = service;
        positionIndexes = [.. service.Views.Select(v => new int[v.Partitions])];
    }

    public PackedBytes Keys { get; } = new(64, 48);

    /// <summary>The positions that are read, each once.</summary>
    public IReadOnlyList<(int View, int Partition)> Positions => positions;

    /// <summary>Index among <see cref="Positions"/>.</summary>
    public int PositionOf(int view, int partition) => positionIndexes[view][partition];

    /// <summary>Partition of the entity; <see cref="ViewAnswer.NoPartition"/> for a null key.</summary>
    public int PartitionOf(int request, int view) => partitions[(request * service.Views.Count) + view];

    /// <summary>Index of the state's key among <see cref="Keys"/>, or <see cref="NoState"/>.</summary>
    public int StateOf(int request, int view) => states[(request * service.Views.Count) + view];

    /// <summary>Index of the position's second key.</summary>
    public int SecondOf(int position) => Keys.Count - positions.Count + position;

    public void Make(ReadBatch batch)
    {
        Reset(batch.Count * service.Views.Count);
        for (var request = 0; request < batch.Count; request++)
        {
            for (var view = 0; view < service.Views.Count; view++)
                Locate(batch, request, view);
        }

        AppendPositions();
        for (var request = 0; request < batch.Count; request++)
        {
            for (var view = 0; view < service.Views.Count; view++)
            {
                var at = (request * service.Views.Count) + view;
                states[at] = partitions[at] < 0 ? NoState : FindOrAddState(view, partitions[at], entityKeys.Slice(entityLanes[at]));
            }
        }

        AppendPositions();
    }

    private void Locate(ReadBatch batch, int request, int view)
    {
        var at = (request * service.Views.Count) + view;
        partitions[at] = ViewAnswer.NoPartition;
        var start = entityKeys.Length;
        var keySlots = service.Views[view].View.KeySlots;
        for (var i = 0; i < keySlots.Count; i++)
        {
            if (!batch.TryGetKey(request, keySlots[i], out var text))
            {
                entityKeys.Truncate(start);
                return;
            }

            if (i > 0)
                entityKeys.Reserve(1)[0] = EntityKey.Separator;
            EntityKey.AppendEscaped(entityKeys, text);
        }

        entityLanes[at] = Utf8Arena.Pack(start, entityKeys.Length - start);
        var partition = KeyPartitioner.PartitionOf(entityKeys.Slice(entityLanes[at]), service.Views[view].Partitions);
        partitions[at] = partition;
        if (positionIndexes[view][partition] < 0)
        {
            positionIndexes[view][partition] = positions.Count;
            positions.Add((view, partition));
        }
    }

    private void AppendPositions()
    {
        foreach (var (view, partition) in positions)
            Keys.Add(service.Views[view].PositionKey(partition));
    }

    private int FindOrAddState(int view, int partition, ReadOnlySpan<byte> entity)
    {
        var mask = slots.Length - 1;
        var slot = (int)(XxHash3.HashToUInt64(entity, view) & (uint)mask);
        for (; slots[slot] != 0; slot = (slot + 1) & mask)
        {
            var known = slots[slot] - 1;
            if (stateViews[known] == view && Keys[known][service.Views[view].StatePrefix(partition).Length..].SequenceEqual(entity))
                return known;
        }

        var index = Keys.Add(service.Views[view].StatePrefix(partition), entity);
        stateViews[index] = view;
        slots[slot] = index + 1;
        return index;
    }

    private void Reset(int reads)
    {
        Keys.Clear();
        entityKeys.Clear();
        foreach (var (view, partition) in positions)
            positionIndexes[view][partition] = -1;
        if (positions.Count == 0)
            Array.ForEach(positionIndexes, p => Array.Fill(p, -1));
        positions.Clear();
        if (entityLanes.Length < reads)
        {
            entityLanes = new long[reads];
            partitions = new int[reads];
            states = new int[reads];
        }

        var keysAtMost = reads + (2 * positionIndexes.Sum(p => p.Length));
        if (stateViews.Length < keysAtMost)
            stateViews = new int[keysAtMost];
        var size = (int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)Math.Max(64, reads * 2));
        if (slots.Length < size)
            slots = new int[size];
        else
            Array.Clear(slots);
    }
}
