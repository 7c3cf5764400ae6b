using StreamMl.ModelEngine.Steps;

namespace StreamMl.ModelEngine.Profiles;

/// <summary>
/// What the inputs of a model were like over some rows, column by column; of the training part it is the reference that production is held against. Written by
/// <see cref="PipelineJson"/>; immutable.
/// </summary>
public sealed record Profile(IReadOnlyList<ColumnProfile> Columns)
{
    /// <summary>The column's profile, or null.</summary>
    public ColumnProfile? Find(string name) => Columns.FirstOrDefault(c => c.Name == name);

    /// <summary>The profile of both parts together.</summary>
    /// <exception cref="ArgumentException">The columns or their layouts differ.</exception>
    public Profile Merge(Profile other) => Columns.Count == other.Columns.Count
        ? new Profile([.. Columns.Zip(other.Columns, (a, b) => a.Merge(b))])
        : throw new ArgumentException($"one profile has {Columns.Count} columns and the other {other.Columns.Count}: profiles of one model can be merged", nameof(other));

    /// <summary>The reference profile of these rows, in two passes: the layouts, then the counts. The same rows and seed give the same profile.</summary>
    public static Profile Reference(ITrainingRows rows, long seed)
    {
        var builder = new ProfileBuilder(ProfileLayouts.Of(rows, seed));
        using var cursor = rows.Open();
        while (cursor.Next())
            builder.Add(cursor.Row);
        return builder.Snapshot();
    }

    /// <summary>The reference profile of a column of numbers: a model's scores, say.</summary>
    public static ColumnProfile Reference(string name, ReadOnlySpan<double> values)
    {
        var builder = new ColumnCounter(ProfileLayouts.OfValues(name, values));
        foreach (var value in values)
            builder.Add(value);
        return builder.Snapshot();
    }
}
