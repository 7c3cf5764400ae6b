namespace StreamMl.Training.Leakage;

/// <summary>How the set is split, as it was or will be for training.</summary>
public sealed record LeakSplit
{
    /// <summary>Column that names each row's part: train, validation or test (or valid, val, dev); other rows are left out. Null: by time.</summary>
    public string? PartColumn { get; init; }

    /// <summary>The first moment of the validation part. Null: by <see cref="TrainShare"/>.</summary>
    public DateTimeOffset? ValidationFrom { get; init; }

    /// <summary>The first moment of the test part.</summary>
    public DateTimeOffset? TestFrom { get; init; }

    public double TrainShare { get; init; } = 0.7;

    public double ValidationShare { get; init; } = 0.15;

    /// <summary>Rows that lie within this before the next part are left out. Null: those whose label was not known when it began, which is what training does.</summary>
    public TimeSpan? Gap { get; init; }

    /// <summary>Columns of which all rows with the same values were to be in one part.</summary>
    public IReadOnlyList<string> Entity { get; init; } = [];

    /// <summary>Puts each row into its part.</summary>
    /// <returns>The moments at which the validation and the test part begin; null where the split is not by time.</returns>
    internal (long ValidationUs, long TestUs)? Apply(LeakTable table)
    {
        if (PartColumn is not null)
        {
            ByColumn(table);
            return null;
        }

        if (table.TimeUs is not { } times)
            throw new LeakException("the set has no time column to split by; name the column that holds each row's part with --part-column");
        var (validation, test) = Boundaries(table, times);
        for (var row = 0; row < table.Rows; row++)
        {
            var end = times[row] < validation ? validation : times[row] < test ? test : long.MaxValue;
            table.Parts[row] = !table.HasLabel[row] || IsInGap(table, times, row, end) ? Part.LeftOut : end == validation ? Part.Train : end == test ? Part.Validation : Part.Test;
        }

        return (validation, test);
    }

    private bool IsInGap(LeakTable table, long[] times, int row, long endUs) => endUs != long.MaxValue
        && (Gap is { } gap ? times[row] >= endUs - (gap.Ticks / TimeSpan.TicksPerMicrosecond) : table.KnownUs is { } known && known[row] >= endUs);

    private (long, long) Boundaries(LeakTable table, long[] times)
    {
        if (ValidationFrom is { } from && TestFrom is { } test)
            return from <= test ? (Micros(from), Micros(test)) : throw new LeakException($"validation begins at {from:u}, after the test at {test:u}; give them in order");
        if (ValidationFrom is not null || TestFrom is not null)
            throw new LeakException("the split has one date; give both --validation-from and --test-from, or neither");
        long[] sorted = [.. times.Where((_, i) => table.HasLabel[i]).Order()];
        return sorted.Length < 3 || !(TrainShare > 0 && ValidationShare >= 0 && TrainShare + ValidationShare < 1)
            ? throw new LeakException($"{sorted.Length} rows with a label cannot be split {TrainShare}/{ValidationShare}; give shares above 0 with less than 1 in sum, and a set of at least 3 rows")
            : (sorted[(int)(sorted.Length * TrainShare)], sorted[(int)(sorted.Length * (TrainShare + ValidationShare))]);
    }

    private void ByColumn(LeakTable table)
    {
        var column = table.Find(PartColumn!) is { IsText: true } found ? found : throw new LeakException($"the set has no text column '{PartColumn}' that could name the parts");
        Part[] parts = [.. table.Texts[column.Name].Select(t => t.ToLowerInvariant() switch
        {
            "train" or "training" => Part.Train,
            "validation" or "valid" or "val" or "dev" => Part.Validation,
            "test" => Part.Test,
            _ => Part.LeftOut,
        })];
        for (var row = 0; row < table.Rows; row++)
            table.Parts[row] = table.HasLabel[row] && !float.IsNaN(column.Values[row]) ? parts[(int)column.Values[row]] : Part.LeftOut;
        if (!table.Parts.Contains(Part.Train) || !table.Parts.Contains(Part.Test))
            throw new LeakException($"column '{PartColumn}' leaves a part empty: it has {string.Join(", ", table.Texts[column.Name].Take(5))}; the parts are called train, validation and test");
    }

    private static long Micros(DateTimeOffset at) => (at.UtcTicks - DateTimeOffset.UnixEpoch.UtcTicks) / TimeSpan.TicksPerMicrosecond;
}

/// <summary>The set or the split cannot be looked at; the message says what to do.</summary>
public sealed class LeakException(string message) : Exception(message);
