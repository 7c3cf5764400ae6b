namespace StreamMl.BatchBackfill.Parity;

/// <summary>What is compared, and where.</summary>
public sealed record ParityOptions
{
    public required string Service { get; init; }

    public required string Archive { get; init; }

    /// <summary>The installation's directory, above <c>served/</c>.</summary>
    public required string Served { get; init; }

    /// <summary>Compare every n-th vector. Default 1: all.</summary>
    public int Every { get; init; } = 1;

    /// <summary>Differences that are reported in full. Default 20.</summary>
    public int MaxDifferences { get; init; } = 20;

    /// <summary>As <see cref="BackfillOptions.MemoryBytes"/>.</summary>
    public long MemoryBytes { get; init; } = 1L << 30;

    /// <summary>Threads. Default: one per core.</summary>
    public int Cores { get; init; } = Environment.ProcessorCount;
}

/// <summary>One value that was served and is not what the archive gives.</summary>
/// <param name="Feature">Full name.</param>
/// <param name="Entity">The view's key, as canonical text.</param>
/// <param name="AsOf">The time of the read.</param>
/// <param name="Position">The prefix that the answer named: log/partition and the offset behind it.</param>
/// <param name="Trigger">The event that triggered the read, where one did.</param>
/// <param name="Served">The value served, with its bits.</param>
/// <param name="Recomputed">The value from the archive, with its bits.</param>
public sealed record ParityDifference(string Feature, string Entity, string AsOf, string Position, string? Trigger, string Served, string Recomputed)
{
    public override string ToString() => $"{Feature} of '{Entity}' at {AsOf}, prefix {Position}{(Trigger is null ? "" : $", trigger {Trigger}")}: served {Served}, recomputed {Recomputed}";
}

/// <summary>The outcome of a parity check.</summary>
/// <param name="Service">Whose vectors.</param>
/// <param name="Vectors">Vectors compared.</param>
/// <param name="ValuesCompared">Values compared, nulls too.</param>
/// <param name="ValuesDiffering">Of these, not the same bytes.</param>
/// <param name="Differences">The first of them.</param>
public sealed record ParityReport(string Service, long Vectors, long ValuesCompared, long ValuesDiffering, IReadOnlyList<ParityDifference> Differences)
{
    /// <summary>Files that another definition of the service wrote, by its first digits: they are compared with the catalogue of that time.</summary>
    public IReadOnlyDictionary<string, int> LeftOut { get; init; } = new Dictionary<string, int>(StringComparer.Ordinal);

    /// <summary>0: all the same and something was compared; 1: not.</summary>
    public int ExitCode => ValuesDiffering == 0 && ValuesCompared > 0 ? 0 : 1;

    public override string ToString() =>
        $"{ValuesDiffering} of {ValuesCompared} values differ ({Vectors} vectors of service '{Service}'{string.Concat(LeftOut.Select(o => $"; {o.Value} files of its definition {o.Key} left out: compare them with the catalogue of that time"))})";
}
