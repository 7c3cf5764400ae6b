using StreamMl.Shared.Events;

namespace StreamMl.Training.Leakage;

/// <summary>The part of the split that a row is in.</summary>
internal enum Part : sbyte
{
    LeftOut = -1,
    Train = 0,
    Validation = 1,
    Test = 2,
}

/// <summary>A column that a model may read.</summary>
/// <param name="Role">As in the training set's manifest.</param>
/// <param name="Values">NaN where missing; a text's number in the order of first appearance.</param>
/// <param name="IsText">Values are numbers of texts: equal or not, never near.</param>
internal sealed record LeakColumn(string Name, string Role, FieldType Type, float[] Values, bool IsText)
{
    /// <summary>Almost every row has a value of its own: a name, not a feature.</summary>
    public bool IsIdentity { get; init; }
}

/// <summary>A training set in memory, with its split. Rows keep their order in the files.</summary>
internal sealed class LeakTable
{
    public required IReadOnlyList<LeakColumn> Columns { get; init; }

    /// <summary>The label as yes or no: a number is yes above its median, a class is yes where it is the most frequent.</summary>
    public required bool[] Label { get; init; }

    /// <summary>The label as it stands in the set; NaN where the row has none.</summary>
    public required float[] RawLabel { get; init; }

    /// <summary>False where the row has no label.</summary>
    public required bool[] HasLabel { get; init; }

    /// <summary>Time of the row's read; null where the set has none.</summary>
    public required long[]? TimeUs { get; init; }

    /// <summary>When the label was known; null where the set does not say.</summary>
    public required long[]? KnownUs { get; init; }

    /// <summary>Names of the entities, in the order in which texts were numbered, by column.</summary>
    public required IReadOnlyDictionary<string, IReadOnlyList<string>> Texts { get; init; }

    public required Part[] Parts { get; set; }

    public int Rows => Label.Length;

    public LeakColumn? Find(string name) => Columns.FirstOrDefault(c => c.Name == name);

    public List<int> RowsOf(Part part) => [.. Enumerable.Range(0, Rows).Where(r => Parts[r] == part)];

    /// <summary>Rows of a part with a label, evenly thinned to a bound.</summary>
    public int[] Sample(Part part, int most)
    {
        List<int> rows = [.. Enumerable.Range(0, Rows).Where(r => Parts[r] == part && HasLabel[r])];
        return Thin(rows, most);
    }

    public static int[] Thin(IReadOnlyList<int> rows, int most) =>
        rows.Count <= most ? [.. rows] : [.. Enumerable.Range(0, most).Select(i => rows[(int)((long)i * rows.Count / most)])];
}
