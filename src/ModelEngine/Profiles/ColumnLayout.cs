using StreamMl.Shared.Events;

namespace StreamMl.ModelEngine.Profiles;

/// <summary>
/// How a column is counted; profiles with one layout can be merged and compared. A bin of its own for missing values (null and NaN) comes with every layout.
/// </summary>
/// <param name="Edges">
/// Of a number: ascending lower edges of the bins from the second on, so that n edges make n + 1 bins; a value belongs to the bin of the greatest edge that is not
/// greater than it. Empty for strings and timestamps.
/// </param>
/// <param name="Categories">Of a string: the values with a count of their own, the most frequent first; all others are counted together. Empty otherwise.</param>
public sealed record ColumnLayout(string Name, FieldType Type, IReadOnlyList<double> Edges, IReadOnlyList<string> Categories)
{
    /// <summary>Number of bins without the one for missing values.</summary>
    internal int Bins => Type == FieldType.String ? Categories.Count + 1 : Edges.Count + 1;

    internal bool IsSameAs(ColumnLayout other) =>
        Name == other.Name && Type == other.Type && Edges.SequenceEqual(other.Edges) && Categories.SequenceEqual(other.Categories, StringComparer.Ordinal);
}
