namespace StreamMl.Training.Splits;

/// <summary>Rows of one part.</summary>
/// <param name="Name">train, validation or test.</param>
/// <param name="Rows">Row numbers in the set, ascending.</param>
/// <param name="FromUs">Time of its first row, µs since the epoch; null where it has none.</param>
/// <param name="ToUs">Time of its last row.</param>
public sealed record SplitPart(string Name, int[] Rows, long? FromUs, long? ToUs);

/// <summary>A set's rows, split. Each row is in one part or is left out for one reason. Immutable.</summary>
/// <param name="LeftOut">Rows in no part, by reason.</param>
/// <param name="Warnings">What to know before believing the test.</param>
public sealed record DataSplit(SplitPart Train, SplitPart Validation, SplitPart Test, IReadOnlyDictionary<string, long> LeftOut, IReadOnlyList<string> Warnings)
{
    public IEnumerable<SplitPart> Parts => [Train, Validation, Test];
}
