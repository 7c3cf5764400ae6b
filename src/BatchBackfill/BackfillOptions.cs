namespace StreamMl.BatchBackfill;

/// <summary>A file of events that never passed through a log.</summary>
/// <param name="Source">The source whose events they are.</param>
/// <param name="Path">A .parquet, .arrow or .csv file with a column per field.</param>
public sealed record HistoryFile(string Source, string Path);

/// <summary>What a backfill is asked for.</summary>
public sealed record BackfillOptions
{
    /// <summary>The service whose features are computed.</summary>
    public required string Service { get; init; }

    /// <summary>A .parquet, .arrow or .csv file of label rows: a time, the service's keys, anything else is carried through. Null: a row per event of the service's trigger.</summary>
    public string? Spine { get; init; }

    /// <summary>The spine's column of label times. Null: <c>time</c>, or else its only timestamp column.</summary>
    public string? TimeColumn { get; init; }

    /// <summary>Only trigger events whose event time (microseconds) is at least this become rows. Null: all.</summary>
    public long? FromTimeUs { get; init; }

    /// <summary>Only trigger events whose event time is before this become rows. Null: all.</summary>
    public long? UntilTimeUs { get; init; }

    /// <summary>The archive of the logs.</summary>
    public required string Archive { get; init; }

    /// <summary>Where the training set goes: part-*.arrow and manifest.json.</summary>
    public required string Output { get; init; }

    /// <summary>Order events by event time, as known <see cref="Delay"/> after they happened, and not by arrival. Default false.</summary>
    public bool EventTime { get; init; }

    /// <summary>From event time to arrival, in event-time mode and for history files. Default 0; at least 0.</summary>
    public TimeSpan Delay { get; init; }

    /// <summary>Events from plain files, in place of their source's archive.</summary>
    public IReadOnlyList<HistoryFile> History { get; init; } = [];

    /// <summary>The installation's directory above <c>served/</c>: rows that were served online use the prefix that was read then.</summary>
    public string? Served { get; init; }

    /// <summary>A label from another source: <c>late: arr_delay &gt; 15 from landings on flight_id</c>; see <see cref="Spines.LabelRule"/>. Rows without one are left out.</summary>
    public string? Label { get; init; }

    /// <summary>Refuse a spine that is not in the order of its time. Default false.</summary>
    public bool AssertSorted { get; init; }

    /// <summary>Take label times before the first archived event, whose features are all empty. Default false: refused.</summary>
    public bool AllowBeforeArchive { get; init; }

    /// <summary>
    /// Rows, reads and labels kept in memory, in bytes. More rows go to working files; more reads of one view or more labels than fit are refused
    /// with what would be enough. Default 1 GiB; at least 64 MiB.
    /// </summary>
    public long MemoryBytes { get; init; } = 1L << 30;

    /// <summary>Threads. Default: one per core.</summary>
    public int Cores { get; init; } = Environment.ProcessorCount;

    /// <summary>Rows per file of the training set. Default 262,144; 1 to 10,000,000.</summary>
    public int RowsPerFile { get; init; } = 262_144;

    /// <summary>Replace a training set that is already there. Default false: refused where it was made from anything else.</summary>
    public bool Overwrite { get; init; }

    /// <summary>Buckets per view and partition, for tests; 0: as many as fit.</summary>
    internal int Buckets { get; init; }

    /// <summary>Bytes of rows held in memory, for tests of what happens beyond; null: half of <see cref="MemoryBytes"/>.</summary>
    internal long? RowMemoryBytes { get; init; }
}

/// <summary>How far a backfill has come.</summary>
/// <param name="Stage">What is being done: spine, scan LOG, fold LOG, write.</param>
/// <param name="Done">Records, buckets or rows.</param>
/// <param name="Total">As many in all, or an estimate; 0 where not known.</param>
public readonly record struct BackfillProgress(string Stage, long Done, long Total);
