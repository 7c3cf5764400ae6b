using System.Runtime.InteropServices;

namespace StreamMl.ModelEngine.Steps;

/// <summary>
/// Sums of the label per category, fold and class. The fitted step gets those of all folds; a training row those of the folds that it is not in, the overall mean
/// included. Sums are added up anew for each fold rather than subtracted, so that nothing of the row's own label is left in them.
/// </summary>
/// <param name="classes">1 for binary and regression; the number of classes otherwise.</param>
internal sealed class TargetEncodeFitter(string column, string output, int classes, int folds, double smoothing, int max, long seed) : StepFitter
{
    private readonly CategoryTable table = new();
    private readonly List<long> rows = [];
    private readonly List<double> sums = [];
    private readonly List<double> weights = [];
    private readonly double[] allSums = new double[folds * classes];
    private readonly double[] allWeights = new double[folds];
    private CategoryReader reader = null!;

    public override IReadOnlyList<string> Sources { get; } = [column];

    public override IReadOnlyList<PlannedOutput> Outputs { get; } =
        classes == 1 ? [new PlannedOutput(output)] : [.. Enumerable.Range(0, classes).Select(c => new PlannedOutput($"{output}_{c}"))];

    public override void Bind(PipelineCompiler columns) => reader = new CategoryReader(columns.Find(column));

    public override void Observe(in TrainingSample sample)
    {
        var fold = OutOfFoldTable.FoldOf(sample.FoldKey, folds, seed);
        AddTo(allSums, allWeights, fold, sample);
        Span<byte> buffer = stackalloc byte[CategoryReader.NumberBytes];
        if (!reader.TryRead(sample.Row, sample.Registers, buffer, out var category))
            return;
        var index = table.GetOrAdd(category);
        if (index == rows.Count)
            AddCategory();
        rows[index]++;
        AddTo(CollectionsMarshal.AsSpan(sums), CollectionsMarshal.AsSpan(weights), (index * folds) + fold, sample);
    }

    public override FittedStep Finish(IDictionary<FittedStep, OutOfFoldTable> training)
    {
        var kept = Enumerable.Range(0, rows.Count).ToArray();
        Array.Sort(kept, (a, b) => rows[a] != rows[b] ? rows[b].CompareTo(rows[a]) : table.Bytes(a).SequenceCompareTo(table.Bytes(b)));
        kept = kept[..Math.Min(max, kept.Length)];
        var priors = Priors(-1, []);
        double[][] values = [.. kept.Select(c => Values(c, -1, priors))];
        var step = new TargetEncodeStep(
            column, output, priors, [.. kept.Select(c => reader.Text(table.Bytes(c)))],
            [.. Enumerable.Range(0, classes).Select(t => (IReadOnlyList<double>)values.Select(v => v[t]).ToArray())]);
        training[step] = OutOfFold(kept, priors);
        return step;
    }

    private OutOfFoldTable OutOfFold(int[] kept, double[] priors)
    {
        double[][] foldPriors = [.. Enumerable.Range(0, folds).Select(f => Priors(f, priors))];
        double[] values = [.. kept.SelectMany(c => Enumerable.Range(0, folds).SelectMany(f => Values(c, f, foldPriors[f])))];
        return new OutOfFoldTable(values, [.. foldPriors.SelectMany(p => p)], folds, classes, seed);
    }

    /// <param name="without">The fold left out; -1 for none.</param>
    /// <param name="otherwise">What it is where the other folds have no rows.</param>
    private double[] Priors(int without, double[] otherwise)
    {
        var (prior, weight) = Total(allSums, allWeights, 0, without);
        if (weight == 0)
            return otherwise.Length > 0 ? otherwise : new double[classes];
        return Array.ConvertAll(prior, s => s / weight);
    }

    private double[] Values(int category, int without, double[] priors)
    {
        var (sum, weight) = Total(CollectionsMarshal.AsSpan(sums), CollectionsMarshal.AsSpan(weights), category * folds, without);
        return weight + smoothing == 0 ? priors : [.. sum.Select((s, t) => (s + (smoothing * priors[t])) / (weight + smoothing))];
    }

    private (double[] Sums, double Weight) Total(ReadOnlySpan<double> from, ReadOnlySpan<double> fromWeights, int first, int without)
    {
        var total = new double[classes];
        double weight = 0;
        for (var fold = 0; fold < folds; fold++)
        {
            if (fold == without)
                continue;
            weight += fromWeights[first + fold];
            for (var t = 0; t < classes; t++)
                total[t] += from[((first + fold) * classes) + t];
        }

        return (total, weight);
    }

    private void AddTo(Span<double> into, Span<double> intoWeights, int cell, in TrainingSample sample)
    {
        intoWeights[cell] += sample.Weight;
        if (classes == 1)
            into[cell] += sample.Weight * sample.Label;
        else
            into[(cell * classes) + (int)sample.Label] += sample.Weight;
    }

    private void AddCategory()
    {
        if (rows.Count >= CategoricalFitter.MostCategories)
            throw new PipelineException($"column `{column}` has more than {CategoricalFitter.MostCategories:N0} different values in training", "Use hash first, or exclude the column");
        rows.Add(0);
        CollectionsMarshal.SetCount(sums, sums.Count + (folds * classes));
        CollectionsMarshal.SetCount(weights, weights.Count + folds);
        CollectionsMarshal.AsSpan(sums)[^(folds * classes)..].Clear();
        CollectionsMarshal.AsSpan(weights)[^folds..].Clear();
    }
}
