namespace StreamMl.Ingestors.Records;

/// <summary>
/// Several sources as one, by arrival time; ties in the order of the sources, and within one in its own. The record that it stands on is
/// (<see cref="Source"/>, <see cref="Block"/>, <see cref="Index"/>). Owns the streams; not thread-safe.
/// </summary>
internal sealed class RecordMerge : IDisposable
{
    private readonly IRecordStream[] streams;
    private readonly RecordBlock[] blocks;
    private readonly int[] indexes;
    private readonly bool[] atEnd;
    private long runEndsUs = long.MinValue;

    public RecordMerge(IReadOnlyList<IRecordStream> streams)
    {
        this.streams = [.. streams];
        blocks = [.. streams.Select(_ => new RecordBlock())];
        indexes = new int[streams.Count];
        atEnd = new bool[streams.Count];
        for (var i = 0; i < this.streams.Length; i++)
            atEnd[i] = !this.streams[i].Read(blocks[i]);
    }

    /// <summary>The position in the list of streams.</summary>
    public int Source { get; private set; } = -1;

    public RecordBlock Block => blocks[Source];

    public int Index => indexes[Source];

    public long ArrivalTimeUs { get; private set; }

    public bool MoveNext()
    {
        if (Source >= 0)
        {
            if (++indexes[Source] == blocks[Source].Count)
            {
                indexes[Source] = 0;
                atEnd[Source] = !streams[Source].Read(blocks[Source]);
            }

            // While the same source stays before all others there is nothing to compare.
            if (!atEnd[Source] && blocks[Source].ArrivalTimeUs(indexes[Source]) < runEndsUs)
            {
                ArrivalTimeUs = blocks[Source].ArrivalTimeUs(indexes[Source]);
                return true;
            }
        }

        return Choose();
    }

    public void Dispose()
    {
        foreach (var stream in streams)
            stream.Dispose();
    }

    private bool Choose()
    {
        Source = -1;
        ArrivalTimeUs = long.MaxValue;
        runEndsUs = long.MaxValue;
        for (var i = 0; i < streams.Length; i++)
        {
            if (atEnd[i])
                continue;
            var arrivalUs = blocks[i].ArrivalTimeUs(indexes[i]);
            if (Source < 0 || arrivalUs < ArrivalTimeUs)
            {
                runEndsUs = ArrivalTimeUs;
                (Source, ArrivalTimeUs) = (i, arrivalUs);
            }
            else
            {
                runEndsUs = Math.Min(runEndsUs, arrivalUs);
            }
        }

        return Source >= 0;
    }
}
