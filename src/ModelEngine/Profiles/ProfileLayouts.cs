using System.Text;
using StreamMl.ModelEngine.Metrics;
using StreamMl.ModelEngine.Sampling;
using StreamMl.ModelEngine.Steps;
using StreamMl.Shared.Events;
using StreamMl.Shared.Features;

namespace StreamMl.ModelEngine.Profiles;

/// <summary>Chooses layouts from reference rows, in one pass. Pure; thread-safe.</summary>
public static class ProfileLayouts
{
    /// <summary>Strings with a count of their own.</summary>
    public const int TopCategories = 50;

    // Up to so many values a layout's quantiles are exact; beyond it they are those of a uniform sample.
    private const int SampledValues = 100_000;

    // Different strings that are counted; those that come first after so many are counted together with the rare ones.
    private const int CountedCategories = 100_000;

    // The tails have bins of their own: drift begins there.
    private static readonly double[] Shares = [0.01, .. Enumerable.Range(1, 19).Select(i => i / 20.0), 0.99];

    /// <summary>Layouts of all columns of the rows.</summary>
    public static IReadOnlyList<ColumnLayout> Of(ITrainingRows rows, long seed)
    {
        ILayoutSource[] sources = [.. rows.Inputs.Select((input, i) => Source(input, i, (long)SeededRandom.Mix((ulong)seed, (ulong)i)))];
        using var cursor = rows.Open();
        while (cursor.Next())
        {
            foreach (var source in sources)
                source.Add(cursor.Row);
        }

        return [.. sources.Select(s => s.Finish())];
    }

    /// <summary>Layout of a number column with bins of equal mass (the tails finer) over these values; of a score, say.</summary>
    /// <param name="values">In any order; those that are not finite are left out.</param>
    public static ColumnLayout OfValues(string name, ReadOnlySpan<double> values)
    {
        List<double> sorted = [];
        foreach (var value in values)
        {
            if (double.IsFinite(value))
                sorted.Add(value);
        }

        sorted.Sort();
        return new ColumnLayout(name, FieldType.Float64, Edges(sorted), []);
    }

    private static List<double> Edges(List<double> sorted)
    {
        List<double> edges = [];
        foreach (var share in Shares)
        {
            if (sorted.Count > 0 && Quantiles.Of(sorted, share) is var edge && edge > (edges.Count == 0 ? sorted[0] : edges[^1]))
                edges.Add(edge);
        }

        return edges;
    }

    private static ILayoutSource Source(ModelInput input, int column, long seed) => input.Type switch
    {
        FieldType.String => new TextSource(input, column),
        FieldType.Int64 or FieldType.Float64 => new NumberSource(input, column, seed),
        FieldType.Boolean => new FixedSource(new ColumnLayout(input.Name, input.Type, [1], [])),
        _ => new FixedSource(new ColumnLayout(input.Name, input.Type, [], [])),
    };

    private interface ILayoutSource
    {
        void Add(FeatureRow row);

        ColumnLayout Finish();
    }

    private sealed class FixedSource(ColumnLayout layout) : ILayoutSource
    {
        public void Add(FeatureRow row)
        {
        }

        public ColumnLayout Finish() => layout;
    }

    private sealed class NumberSource(ModelInput input, int column, long seed) : ILayoutSource
    {
        private readonly Reservoir<double> values = new(SampledValues, seed);

        public void Add(FeatureRow row)
        {
            var value = ColumnValue.Number(row, column, input.Type);
            if (double.IsFinite(value))
                values.Add(value);
        }

        public ColumnLayout Finish()
        {
            List<double> sorted = [.. values.Kept];
            sorted.Sort();
            return new ColumnLayout(input.Name, input.Type, Edges(sorted), []);
        }
    }

    private sealed class TextSource(ModelInput input, int column) : ILayoutSource
    {
        private readonly CategoryTable table = new();
        private readonly List<long> counts = [];

        public void Add(FeatureRow row)
        {
            if (row.Valid[column] == 0)
                return;
            var text = row.Arena.Slice(row.Lanes[column]);
            var index = counts.Count < CountedCategories ? table.GetOrAdd(text) : table.Find(text);
            if (index == counts.Count)
                counts.Add(0);
            if (index >= 0)
                counts[index]++;
        }

        public ColumnLayout Finish()
        {
            var order = Enumerable.Range(0, counts.Count).ToArray();
            Array.Sort(order, (a, b) => counts[a] != counts[b] ? counts[b].CompareTo(counts[a]) : table.Bytes(a).SequenceCompareTo(table.Bytes(b)));
            return new ColumnLayout(input.Name, input.Type, [], [.. order.Take(TopCategories).Select(i => Encoding.UTF8.GetString(table.Bytes(i)))]);
        }
    }
}

/// <summary>A column's value as a number.</summary>
internal static class ColumnValue
{
    /// <summary>NaN where it is missing. A time is in microseconds.</summary>
    public static double Number(FeatureRow row, int column, FieldType type) => row.Valid[column] == 0
        ? double.NaN
        : type == FieldType.Float64 ? BitConverter.Int64BitsToDouble(row.Lanes[column]) : row.Lanes[column];
}
