using StreamMl.Shared.Features;

namespace StreamMl.ModelEngine.Profiles;

/// <summary>Counts rows by given layouts, in one pass and constant memory, without allocating. Not thread-safe.</summary>
/// <param name="layouts">One per column of the rows, in order.</param>
public sealed class ProfileBuilder(IReadOnlyList<ColumnLayout> layouts)
{
    private readonly ColumnCounter[] counters = [.. layouts.Select(l => new ColumnCounter(l))];

    /// <summary>Counts one row, its columns in the order of the layouts.</summary>
    public void Add(FeatureRow row)
    {
        for (var c = 0; c < counters.Length; c++)
            counters[c].Add(row, c);
    }

    /// <summary>The profile of the rows so far.</summary>
    public Profile Snapshot() => new([.. counters.Select(c => c.Snapshot())]);

    /// <summary>Forgets the rows so far.</summary>
    public void Clear()
    {
        foreach (var counter in counters)
            counter.Clear();
    }
}
