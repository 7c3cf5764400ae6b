namespace StreamMl.ModelEngine.Steps;

/// <summary>How often each category of a column came, and the mean of the label in it.</summary>
internal sealed class CategoryCounts(string column, int limit)
{
    private readonly CategoryTable table = new();
    private readonly List<long> rows = [];
    private readonly List<double> weights = [];
    private readonly List<double> labels = [];
    private CategoryReader reader = null!;

    public int Count => table.Count;

    public void Bind(PipelineCompiler columns) => reader = new CategoryReader(columns.Find(column));

    public void Observe(in TrainingSample sample)
    {
        Span<byte> buffer = stackalloc byte[CategoryReader.NumberBytes];
        if (!reader.TryRead(sample.Row, sample.Registers, buffer, out var category))
            return;
        var index = table.GetOrAdd(category);
        if (index == rows.Count)
            Add();
        rows[index]++;
        weights[index] += sample.Weight;
        labels[index] += sample.Weight * sample.Label;
    }

    /// <summary>Indices, the most frequent first, of equal ones by their bytes.</summary>
    public int[] ByFrequency()
    {
        var order = Enumerable.Range(0, Count).ToArray();
        Array.Sort(order, (a, b) => rows[a] != rows[b] ? rows[b].CompareTo(rows[a]) : Compare(a, b));
        return order;
    }

    public int Compare(int a, int b) => reader.IsText ? table.Bytes(a).SequenceCompareTo(table.Bytes(b)) : Number(a).CompareTo(Number(b));

    public string Text(int index) => reader.Text(table.Bytes(index));

    public long Rows(int index) => rows[index];

    /// <summary>Weighted mean of the label; 0 where the category has no weight.</summary>
    public double Label(int index) => weights[index] > 0 ? labels[index] / weights[index] : 0;

    private double Number(int index) => BitConverter.ToDouble(table.Bytes(index));

    private void Add()
    {
        if (Count > limit)
            throw new PipelineException($"column `{column}` has more than {limit:N0} different values in training", "Use hash for categories without end, or exclude the column");
        rows.Add(0);
        weights.Add(0);
        labels.Add(0);
    }
}

/// <summary>Learns from the categories of one column.</summary>
internal abstract class CategoryFitter(string column, int limit) : StepFitter
{
    protected string Column => column;

    protected CategoryCounts Counts { get; } = new(column, limit);

    public override IReadOnlyList<string> Sources { get; } = [column];

    public override void Bind(PipelineCompiler columns) => Counts.Bind(columns);

    public override void Observe(in TrainingSample sample) => Counts.Observe(sample);
}

internal sealed class OneHotFitter(string column, string output, int max, int minCount, bool missing) : CategoryFitter(column, MostCategories)
{
    // All of them go into the model's document, the rare ones so that they can be told from the unseen.
    private const int MostCategories = 100_000;

    public override IReadOnlyList<PlannedOutput> Outputs => [new PlannedOutput($"{output}=…")];

    public override bool NamesOutputs => true;

    public override FittedStep Finish(IDictionary<FittedStep, OutOfFoldTable> training)
    {
        var order = Counts.ByFrequency();
        var own = order.TakeWhile((c, i) => i < max && Counts.Rows(c) >= minCount).Count();
        return new OneHotStep(Column, output, [.. order.Take(own).Select(Counts.Text)], [.. order.Skip(own).Select(Counts.Text)], missing);
    }
}

internal sealed class CategoricalFitter(string column, string output, int max, int minCount, string codeOrder) : CategoryFitter(column, MostCategories)
{
    internal const int MostCategories = 1_000_000;

    public override IReadOnlyList<PlannedOutput> Outputs => [new PlannedOutput(output, IsCategorical: true)];

    public override FittedStep Finish(IDictionary<FittedStep, OutOfFoldTable> training)
    {
        int[] kept = [.. Counts.ByFrequency().TakeWhile((c, i) => i < max && Counts.Rows(c) >= minCount)];
        if (codeOrder == "name")
            Array.Sort(kept, Counts.Compare);
        else if (codeOrder == "label")
            Array.Sort(kept, (a, b) => Counts.Label(a) != Counts.Label(b) ? Counts.Label(a).CompareTo(Counts.Label(b)) : Counts.Compare(a, b));
        return new CategoricalStep(Column, output, [.. kept.Select(Counts.Text)]);
    }
}

/// <summary>The most frequent value in place of missing ones.</summary>
internal sealed class MostFrequentFitter(string column, string output, string? indicator, ColumnKind kind) : CategoryFitter(column, CategoricalFitter.MostCategories)
{
    public override IReadOnlyList<PlannedOutput> Outputs =>
        [new PlannedOutput(output, kind), .. indicator is null ? Array.Empty<PlannedOutput>() : [new PlannedOutput(indicator)]];

    public override FittedStep Finish(IDictionary<FittedStep, OutOfFoldTable> training) => Counts.Count > 0
        ? new ImputeStep(Column, output, Counts.Text(Counts.ByFrequency()[0]), indicator)
        : throw StepFitters.NoValues(Column);
}

internal sealed class CrossDictionaryFitter(IReadOnlyList<string> columns, string output, int max, int minCount) : StepFitter
{
    private readonly CategoryTable table = new();
    private readonly List<string[]> combinations = [];
    private readonly List<long> rows = [];
    private CrossReader reader = null!;

    public override IReadOnlyList<string> Sources => columns;

    public override IReadOnlyList<PlannedOutput> Outputs => [new PlannedOutput(output, IsCategorical: true)];

    public override void Bind(PipelineCompiler bound) => reader = new CrossReader([.. columns.Select(c => new CategoryReader(bound.Find(c)))]);

    public override void Observe(in TrainingSample sample)
    {
        Span<byte> buffer = stackalloc byte[CrossReader.MaxBytes];
        if (!reader.TryRead(sample.Row, sample.Registers, buffer, out var combination))
            return;
        var index = table.GetOrAdd(combination);
        if (index == rows.Count)
            Add(sample);
        rows[index]++;
    }

    public override FittedStep Finish(IDictionary<FittedStep, OutOfFoldTable> training)
    {
        var order = Enumerable.Range(0, rows.Count).ToArray();
        Array.Sort(order, (a, b) => rows[a] != rows[b] ? rows[b].CompareTo(rows[a]) : Compare(combinations[a], combinations[b]));
        return new CrossDictionaryStep(columns, output, [.. order.TakeWhile((c, i) => i < max && rows[c] >= minCount).Select(c => combinations[c])]);
    }

    private void Add(in TrainingSample sample)
    {
        if (rows.Count >= CategoricalFitter.MostCategories)
            throw new PipelineException($"`{output}` has more than {CategoricalFitter.MostCategories:N0} different combinations in training", "Use method: hash");
        var texts = new string[columns.Count];
        Span<byte> buffer = stackalloc byte[CategoryReader.NumberBytes];
        for (var i = 0; i < texts.Length; i++)
            texts[i] = reader.Readers[i].TryRead(sample.Row, sample.Registers, buffer, out var category) ? reader.Readers[i].Text(category) : "";
        combinations.Add(texts);
        rows.Add(0);
    }

    private static int Compare(string[] a, string[] b)
    {
        for (var i = 0; i < a.Length; i++)
        {
            if (string.CompareOrdinal(a[i], b[i]) is var order && order != 0)
                return order;
        }

        return 0;
    }
}
