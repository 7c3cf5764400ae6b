using System.Numerics;
using StreamMl.FeatureEngine.Views;

namespace StreamMl.BatchBackfill.PointInTime;

/// <summary>
/// The rows of one view over one log partition, spread over buckets by entity so that a bucket fits a cache, in offset order within each. What
/// does not fit the memory budget goes to a spill file. Not thread-safe while rows are appended; buckets are then independent.
/// </summary>
internal sealed unsafe class RowBuckets : IDisposable
{
    public const int BlockBytes = 32 << 10;

    private readonly RowLayout layout;
    private readonly MemoryBudget budget;
    private readonly Bucket[] buckets;
    private readonly int mask;
    private readonly string spillPath;
    private FileStream? spill;

    /// <param name="layout">Of the rows.</param>
    /// <param name="bucketCount">A power of two.</param>
    /// <param name="budget">Shared by all buckets of the job.</param>
    /// <param name="spillPath">Created when the budget is exceeded.</param>
    public RowBuckets(RowLayout layout, int bucketCount, MemoryBudget budget, string spillPath)
    {
        (this.layout, this.budget, this.spillPath) = (layout, budget, spillPath);
        mask = bucketCount - 1;
        Shift = BitOperations.Log2((uint)bucketCount);
        buckets = [.. Enumerable.Range(0, bucketCount).Select(_ => new Bucket())];
    }

    public RowLayout Layout => layout;

    public int Count => buckets.Length;

    /// <summary>An entity's id within its bucket is its id shifted right by this.</summary>
    public int Shift { get; }

    public long Rows { get; private set; }

    public void Append(int entity, long watermarkUs, ViewInput input, int row)
    {
        var most = layout.MostBytesOf(input, row);
        var bucket = buckets[entity & mask];
        if (bucket.End - bucket.Next < most)
            NewBlock(bucket, most);
        var bytes = layout.Write(bucket.Next, entity, watermarkUs, input, row);
        bucket.Next += bytes;
        bucket.Bytes += bytes;
        Rows++;
    }

    public long BytesOf(int bucket) => buckets[bucket].Bytes;

    /// <summary>Calls with the bucket's rows, stretch by stretch, in the order in which they were appended.</summary>
    public void ForEach(int bucket, RowsVisitor visit)
    {
        var source = buckets[bucket];
        source.Seal();
        if (source.Spilled.Count > 0)
        {
            using var buffer = new RowBlock(source.Spilled.Max(s => s.Bytes), budget);
            foreach (var (start, bytes) in source.Spilled)
            {
                if (RandomAccess.Read(spill!.SafeFileHandle, new Span<byte>(buffer.Start, bytes), start) != bytes)
                    throw new IOException($"{spillPath} ends before byte {start + bytes}: was the working directory changed?");
                visit(buffer.Start, bytes);
            }
        }

        foreach (var block in source.Blocks)
            visit(block.Start, block.Used);
    }

    /// <summary>Whether all of the bucket is in memory, so that row addresses stay valid until <see cref="Free"/>.</summary>
    public bool IsInMemory(int bucket) => buckets[bucket].Spilled.Count == 0;

    /// <summary>Frees the memory of a bucket that is done with.</summary>
    public void Free(int bucket)
    {
        foreach (var block in buckets[bucket].Blocks)
            block.Dispose();
        buckets[bucket].Forget();
    }

    public void Dispose()
    {
        for (var i = 0; i < buckets.Length; i++)
            Free(i);
        if (spill is null)
            return;
        spill.Dispose();
        File.Delete(spillPath);
    }

    private void NewBlock(Bucket bucket, int rowBytes)
    {
        bucket.Seal();
        if (budget.IsExceeded)
            Spill();
        var block = new RowBlock(Math.Max(BlockBytes, rowBytes), budget);
        bucket.Blocks.Add(block);
        bucket.Next = block.Start;
        bucket.End = block.Start + block.Capacity;
    }

    private void Spill()
    {
        spill ??= new FileStream(spillPath, FileMode.Create, FileAccess.ReadWrite, FileShare.None, 1 << 20);
        foreach (var bucket in buckets)
        {
            bucket.Seal();
            foreach (var block in bucket.Blocks)
            {
                bucket.Spilled.Add((spill.Position, block.Used));
                spill.Write(block.Bytes);
                block.Dispose();
            }

            bucket.Forget();
        }

        spill.Flush();
    }

    private sealed class Bucket
    {
        public List<RowBlock> Blocks { get; } = [];

        public List<(long Start, int Bytes)> Spilled { get; } = [];

        public long Bytes { get; set; }

        /// <summary>Where the next row goes in the last block, and where that block ends.</summary>
        public byte* Next;

        public byte* End;

        /// <summary>Notes in the last block how much of it is used.</summary>
        public void Seal()
        {
            if (Blocks.Count > 0)
                Blocks[^1].Used = (int)(Next - Blocks[^1].Start);
        }

        /// <summary>The blocks are disposed.</summary>
        public void Forget()
        {
            Blocks.Clear();
            Next = End = null;
        }
    }
}

/// <summary>Sees a stretch of rows, one behind the other.</summary>
internal unsafe delegate void RowsVisitor(byte* rows, int bytes);
