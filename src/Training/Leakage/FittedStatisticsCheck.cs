using System.Globalization;
using System.Text.Json;
using StreamMl.ModelEngine;
using StreamMl.ModelEngine.Steps;
using StreamMl.Shared.Events;
using StreamMl.Shared.Features;

namespace StreamMl.Training.Leakage;

/// <summary>A fitted pipeline and what it was fitted from.</summary>
/// <param name="Definition">The declared steps.</param>
/// <param name="Fitted">What fitting gave: the pipeline of <c>model.json</c>.</param>
/// <param name="Options">Task and seed of that fitting.</param>
/// <param name="Sample">How the rows of that fitting were chosen or weighted, as <c>sampling timeDecay</c>; null: all of the training part, each once.</param>
public sealed record FittedModel(PipelineDefinition Definition, PipelineDocument Fitted, FitOptions Options, string? Sample = null);

/// <summary>
/// Statistics (means, quantiles, categories, target rates) that were fitted on test rows: the steps are fitted again, on the training part and on all parts, and each number of the
/// model's is compared with both. Where the two differ, an honest model's numbers are the first. Pure.
/// </summary>
internal static class FittedStatisticsCheck
{
    /// <summary>Relative difference from which the training part and all parts can be told apart.</summary>
    private const double Distinct = 1e-4;

    public static LeakOutcome Run(LeakTable table, FittedModel? model, List<LeakFinding> findings)
    {
        if (model is null)
            return new LeakOutcome(LeakChecks.FittedStatistics, "skipped", "no model was given whose statistics could be looked at");
        if (model.Options.Task == ModelTask.Multiclass)
            return new LeakOutcome(LeakChecks.FittedStatistics, "skipped", "the classes of a multiclass label have no order in the set");
        // A sample's numbers lie beside those of the training part, and by chance, or for its weights, nearer to those of all parts.
        if (model.Sample is { } sample)
            return new LeakOutcome(LeakChecks.FittedStatistics, "skipped", $"the model's steps were fitted on a sample of the training part ({sample}), which cannot be told from other rows");
        var before = findings.Count;
        var inputs = Inputs(table, model);
        var train = Fit(table, model, inputs, r => table.Parts[r] == Part.Train);
        var all = Fit(table, model, inputs, r => table.Parts[r] != Part.LeftOut);
        var own = Numbers(model.Fitted);
        var compared = 0;
        var likeAll = new List<(string Path, string Column)>();
        foreach (var path in train.Keys.Union(all.Keys, StringComparer.Ordinal).Where(p => Distance(train, all, p) > Distinct))
        {
            compared++;
            if (Distance(own, all, path) < Distance(own, train, path))
                likeAll.Add((path, path[..path.IndexOf(' ', StringComparison.Ordinal)]));
        }

        foreach (var column in likeAll.GroupBy(p => p.Column).OrderByDescending(g => g.Count()))
        {
            findings.Add(new LeakFinding(
                LeakChecks.FittedStatistics, $"The statistics of {column.Key} are those of all parts, not of the training part: they were fitted on test rows", column.Key, null, [.. column.Take(5).Select(p => p.Path)],
                "numbers that are nearer to a fit on all parts", column.Count(), 0, "Fit every encoder and scaler on the training part alone, after the split"));
        }

        return LeakChecker.Outcome(LeakChecks.FittedStatistics, findings, before, $"{own.Count:N0} numbers of {model.Fitted.Steps.Count} fitted steps; {compared:N0} differ between the training part and all parts");
    }

    /// <summary>Fits steps on the training part of a set, as an honest training would.</summary>
    internal static PipelineDocument Refit(string data, LeakSplit split, PipelineDefinition definition, FitOptions options)
    {
        var (table, _) = LeakTableReader.Read(data, null, null, null);
        split.Apply(table);
        var inputs = table.Columns.Select(c => new ModelInput(c.Name, c.Type, InputOrigin.Stored)).ToList();
        return PipelineFitter.Fit(definition, new PartRows(table, inputs, [.. table.RowsOf(Part.Train)]), options).Pipeline.Document;
    }

    private static IReadOnlyList<ModelInput> Inputs(LeakTable table, FittedModel model) =>
        [.. table.Columns.Select(c => model.Fitted.Inputs.FirstOrDefault(i => i.Name == c.Name) ?? new ModelInput(c.Name, c.Type, InputOrigin.Stored))];

    private static Dictionary<string, double> Fit(LeakTable table, FittedModel model, IReadOnlyList<ModelInput> inputs, Func<int, bool> isIn)
    {
        int[] rows = [.. Enumerable.Range(0, table.Rows).Where(r => isIn(r) && table.HasLabel[r])];
        return Numbers(PipelineFitter.Fit(model.Definition, new PartRows(table, inputs, rows), model.Options).Pipeline.Document);
    }

    /// <summary>Relative where numbers are large; 1 where one side lacks the number, as a category that only test rows have.</summary>
    private static double Distance(Dictionary<string, double> a, Dictionary<string, double> b, string path) =>
        a.TryGetValue(path, out var x) ? b.TryGetValue(path, out var y) ? Math.Abs(x - y) / Math.Max(1e-3, Math.Max(Math.Abs(x), Math.Abs(y))) : 1 : b.ContainsKey(path) ? 1 : 0;

    /// <summary>Every number of the fitted steps, by the step's output and its place in the step's document.</summary>
    private static Dictionary<string, double> Numbers(PipelineDocument document)
    {
        var numbers = new Dictionary<string, double>(StringComparer.Ordinal);
        using var json = JsonDocument.Parse(PipelineJson.Write(document));
        var steps = json.RootElement.EnumerateObject().First(p => string.Equals(p.Name, "steps", StringComparison.OrdinalIgnoreCase)).Value;
        var at = 0;
        foreach (var step in steps.EnumerateArray())
            Walk(step, $"{document.Steps[at].Sources[0]} {document.Steps[at++].GetType().Name}", numbers);
        return numbers;
    }

    private static void Walk(JsonElement element, string path, Dictionary<string, double> numbers)
    {
        switch (element.ValueKind)
        {
            case JsonValueKind.Object:
                foreach (var property in element.EnumerateObject())
                    Walk(property.Value, $"{path}.{property.Name}", numbers);
                break;
            case JsonValueKind.Array:
                var index = 0;
                foreach (var item in element.EnumerateArray())
                    Walk(item, $"{path}[{index++}]", numbers);
                break;
            case JsonValueKind.Number:
                numbers[path] = element.GetDouble();
                break;
            case JsonValueKind.String when double.TryParse(element.GetString(), NumberStyles.Float, CultureInfo.InvariantCulture, out var number):
                // What a gap is filled with is kept as text; the table has 4 bytes per value, so its digits differ from the model's.
                numbers[path] = number;
                break;
            case JsonValueKind.String:
                // A text is there or not: a category that only test rows have moves all behind it.
                numbers[$"{path} = {element.GetString()}"] = 1;
                break;
        }
    }

    private sealed class PartRows(LeakTable table, IReadOnlyList<ModelInput> inputs, int[] rows) : ITrainingRows
    {
        public IReadOnlyList<ModelInput> Inputs => inputs;

        public int Count => rows.Length;

        public ITrainingCursor Open() => new Cursor(table, rows);
    }

    private sealed class Cursor(LeakTable table, int[] rows) : ITrainingCursor
    {
        private int at = -1;

        public FeatureRow Row { get; } = new(table.Columns.Count);

        public double Label => table.RawLabel[rows[at]];

        public double Weight => 1;

        public bool Next()
        {
            if (++at >= rows.Length)
                return false;
            Row.Clear();
            for (var c = 0; c < table.Columns.Count; c++)
                Fill(table.Columns[c], c, table.Columns[c].Values[rows[at]]);
            return true;
        }

        public void Dispose()
        {
            // Nothing is held.
        }

        private void Fill(LeakColumn column, int c, float value)
        {
            if (float.IsNaN(value))
                Row.SetNull(c);
            else if (column.IsText)
                Row.Set(c, System.Text.Encoding.UTF8.GetBytes(table.Texts[column.Name][(int)value]));
            else if (column.Type == FieldType.Float64)
                Row.Set(c, (double)value);
            else
                Row.Set(c, column.Type == FieldType.Timestamp ? ((long)value + LeakTableReader.Epoch) * 1_000_000 : (long)value);
        }
    }
}
