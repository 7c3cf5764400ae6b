namespace StreamMl.Ingestors.Records;

/// <summary>
/// Puts a stream in the order of (arrival, row): in memory up to a bound, beyond it in sorted runs on disk that are merged. Ties keep the
/// order of the file. The inner stream is read to its end at the first read. Owns it.
/// </summary>
internal sealed class SortedRecords(IRecordStream inner, string temporaryFolder, long memoryBytes = SortedRecords.DefaultMemoryBytes) : IRecordStream
{
    /// <summary>Keys and values held in memory; about a million small events.</summary>
    public const long DefaultMemoryBytes = 128 * 1024 * 1024;

    private const int RowsPerRead = 4096;

    private readonly List<RecordRun> runs = [];
    private RecordBlock? held;
    private int[] order = [];
    private int next;

    public bool Read(RecordBlock block)
    {
        block.Clear();
        if (held is null)
            ReadAll();
        if (runs.Count == 0)
        {
            for (; next < order.Length && block.Count < RowsPerRead; next++)
                block.AddCopy(held!, order[next]);
            return block.Count > 0;
        }

        while (block.Count < RowsPerRead && Least() is { } run)
            run.TakeTo(block);
        return block.Count > 0;
    }

    public void Dispose()
    {
        foreach (var run in runs)
            run.Dispose();
        runs.Clear();
        inner.Dispose();
    }

    private void ReadAll()
    {
        held = new RecordBlock();
        var block = new RecordBlock();
        while (inner.Read(block))
        {
            for (var i = 0; i < block.Count; i++)
                held.AddCopy(block, i);
            if (held.Bytes >= memoryBytes)
                Spill();
        }

        if (runs.Count > 0 && held.Count > 0)
            Spill();
        else
            order = Order(held);
    }

    private void Spill()
    {
        Directory.CreateDirectory(temporaryFolder);
        var path = Path.Combine(temporaryFolder, $"sort-{Environment.ProcessId}-{GetHashCode():x8}-{runs.Count}.run");
        RecordRun.Write(path, held!, Order(held!));
        runs.Add(new RecordRun(path));
        held!.Clear();
    }

    // Few runs: a look at each is cheaper than a heap.
    private RecordRun? Least()
    {
        RecordRun? least = null;
        foreach (var run in runs)
        {
            if (!run.IsAtEnd && (least is null || (run.ArrivalTimeUs, run.Row).CompareTo((least.ArrivalTimeUs, least.Row)) < 0))
                least = run;
        }

        return least;
    }

    private static int[] Order(RecordBlock records)
    {
        var keys = new (long ArrivalUs, int Index)[records.Count];
        for (var i = 0; i < keys.Length; i++)
            keys[i] = (records.ArrivalTimeUs(i), i);
        keys.AsSpan().Sort(static (a, b) => a.ArrivalUs != b.ArrivalUs ? a.ArrivalUs.CompareTo(b.ArrivalUs) : a.Index.CompareTo(b.Index));
        return Array.ConvertAll(keys, static k => k.Index);
    }
}
