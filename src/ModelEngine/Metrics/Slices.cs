namespace StreamMl.ModelEngine.Metrics;

/// <summary>One slice of the rows and what a model is like on it.</summary>
public sealed record SliceEvaluation<T>(string Slice, T Evaluation);

/// <summary>Rows by slice: an airport, a month, a tier. Pure; thread-safe.</summary>
public static class Slices
{
    /// <summary>Evaluates each slice of at least <paramref name="minRows"/> rows, in the order of the slices.</summary>
    /// <param name="sliceIds">Slice of every row, an index into <paramref name="names"/>; -1: in none.</param>
    /// <param name="evaluate">From the slice's rows (indices, ascending) to its evaluation.</param>
    public static IReadOnlyList<SliceEvaluation<T>> Evaluate<T>(ReadOnlySpan<int> sliceIds, IReadOnlyList<string> names, Func<int[], T> evaluate, int minRows = 1)
    {
        var rows = new List<int>[names.Count];
        for (var i = 0; i < rows.Length; i++)
            rows[i] = [];
        for (var i = 0; i < sliceIds.Length; i++)
        {
            if (sliceIds[i] >= names.Count)
                throw new ArgumentException($"row {i} is in slice {sliceIds[i]} and there are {names.Count}", nameof(sliceIds));
            if (sliceIds[i] >= 0)
                rows[sliceIds[i]].Add(i);
        }

        return [.. names.Select((name, i) => (name, i)).Where(s => rows[s.i].Count >= minRows).Select(s => new SliceEvaluation<T>(s.name, evaluate([.. rows[s.i]])))];
    }

    /// <summary>The evaluation of a binary model by slice.</summary>
    public static IReadOnlyList<SliceEvaluation<BinaryEvaluation>> Binary(
        double[] scores, bool[] labels, double[]? weights, ReadOnlySpan<int> sliceIds, IReadOnlyList<string> names, int minRows = 1, double level = 0.95) =>
        Evaluate(sliceIds, names, rows => BinaryEvaluation.Of(Pick(scores, rows), Pick(labels, rows), weights is null ? default(ReadOnlySpan<double>) : Pick(weights, rows), level), minRows);

    /// <summary>The evaluation of a regression model by slice.</summary>
    public static IReadOnlyList<SliceEvaluation<RegressionEvaluation>> Regression(
        double[] estimates, double[] labels, double[]? weights, ReadOnlySpan<int> sliceIds, IReadOnlyList<string> names, int minRows = 1) =>
        Evaluate(sliceIds, names, rows => RegressionEvaluation.Of(Pick(estimates, rows), Pick(labels, rows), weights is null ? default(ReadOnlySpan<double>) : Pick(weights, rows)), minRows);

    /// <summary>The values of those rows.</summary>
    public static T[] Pick<T>(T[] values, int[] rows) => Array.ConvertAll(rows, r => values[r]);
}
