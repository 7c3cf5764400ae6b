using System.Text;
using StreamMl.ModelEngine.Steps;
using StreamMl.Shared.Events;
using StreamMl.Shared.Features;

namespace StreamMl.ModelEngine.Profiles;

/// <summary>Counts the values of one column by its layout. Not thread-safe.</summary>
public sealed class ColumnCounter
{
    private readonly ColumnLayout layout;
    private readonly double[] edges;
    private readonly CategoryTable categories = new();
    private readonly long[] counts;
    private long rows, missing, finite;
    private double mean, squares, least, greatest;

    public ColumnCounter(ColumnLayout layout)
    {
        this.layout = layout;
        edges = [.. layout.Edges];
        foreach (var category in layout.Categories)
            categories.GetOrAdd(Encoding.UTF8.GetBytes(category));
        if (categories.Count != layout.Categories.Count)
            throw new ArgumentException($"the layout of '{layout.Name}' lists a category twice", nameof(layout));
        counts = new long[layout.Bins];
        Clear();
    }

    /// <summary>Counts the column's value in a row.</summary>
    public void Add(FeatureRow row, int column)
    {
        if (layout.Type != FieldType.String)
            Add(ColumnValue.Number(row, column, layout.Type));
        else if (row.Valid[column] != 0)
            AddText(row.Arena.Slice(row.Lanes[column]));
        else
            AddMissing();
    }

    /// <summary>Counts a number; NaN is missing.</summary>
    public void Add(double value)
    {
        if (double.IsNaN(value))
        {
            AddMissing();
            return;
        }

        rows++;
        counts[BinOf(value)]++;
        if (!double.IsFinite(value))
            return;
        finite++;
        var distance = value - mean;
        mean += distance / finite;
        squares += distance * (value - mean);
        (least, greatest) = (Math.Min(least, value), Math.Max(greatest, value));
    }

    public ColumnProfile Snapshot() =>
        new(layout, rows, missing, [.. counts], finite == 0 ? null : new ProfileMoments(finite, mean, Math.Sqrt(squares / finite), least, greatest));

    /// <summary>Forgets the values so far.</summary>
    public void Clear()
    {
        Array.Clear(counts);
        (rows, missing, finite, mean, squares) = (0, 0, 0, 0, 0);
        (least, greatest) = (double.PositiveInfinity, double.NegativeInfinity);
    }

    private void AddMissing()
    {
        rows++;
        missing++;
    }

    private void AddText(ReadOnlySpan<byte> text)
    {
        rows++;
        var category = categories.Find(text);
        counts[category < 0 ? counts.Length - 1 : category]++;
    }

    private int BinOf(double value)
    {
        var at = Array.BinarySearch(edges, value);
        return at >= 0 ? at + 1 : ~at;
    }
}
