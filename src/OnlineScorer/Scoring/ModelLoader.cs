using StreamMl.Infrastructure.Models;
using StreamMl.OnlineScorer.Reading;
using StreamMl.Shared.Definitions;
using StreamMl.Shared.Events;
using StreamMl.Shared.Features;
using StreamMl.Shared.Models;

namespace StreamMl.OnlineScorer.Scoring;

/// <summary>
/// Loads a model so that it can be trusted: its files are those that were published, its service is defined as when it was trained, its inputs are what the
/// service and its trigger give, and this code gives its golden rows' scores. Thread-safe.
/// </summary>
public sealed class ModelLoader(Catalog catalog, ModelStore store, IModelCodeFactory factory, ScoringPolicies? policies = null)
{
    /// <summary>Rows of a table that are scored together.</summary>
    private const int RowsAtOnce = 256;

    private readonly ScoringPolicies policies = policies ?? ScoringPolicies.None;

    /// <summary>The same, by another catalogue.</summary>
    public ModelLoader By(Catalog other) => new(other, store, factory, policies);

    /// <exception cref="ModelException">It is refused; the message says what was found, what is wanted and what to do.</exception>
    public LoadedModel Load(ModelReference reference)
    {
        var folder = store.Load(reference, HashOf);
        var service = ServedService.Compile(catalog, catalog.Service(folder.Manifest.Service));
        var code = LoadCode(folder, factory);
        var policy = policies.Of(service.Program.Name);
        var model = new LoadedModel(folder.Version, code, service, CompiledPolicy.Compile(policy, service, code.Inputs), policy.Threshold);
        if (service.Program.Definition.Trigger is { } trigger)
            _ = model.GivenColumns(catalog.Source(trigger).Schema, $"source '{trigger}', the service's trigger,");
        return model;
    }

    /// <summary>A model's code, which names the inputs that its manifest names and gives the scores of its golden rows.</summary>
    /// <exception cref="ModelException">It does not.</exception>
    public static IModelCode LoadCode(ModelFolder folder, IModelCodeFactory factory)
    {
        var code = factory.Load(folder.Read(ModelFiles.Model));
        RequireInputs(folder, code);
        // The golden rows also warm the code up: that of many rows, and that of one.
        folder.RequireGolden((inputs, scores) => ScoreTable(code, inputs, scores));
        folder.RequireGolden((inputs, scores) => ScoreTable(code, inputs, scores, rowsAtOnce: 1));
        return code;
    }

    /// <summary>Scores a table whose columns have the names of the model's inputs.</summary>
    /// <param name="code">The model.</param>
    /// <param name="table">Columns in any order; others are not looked at.</param>
    /// <param name="scores">Row by row, so many values as the model is wide.</param>
    /// <param name="rowsAtOnce">Rows that are scored together; the scores are the same.</param>
    /// <exception cref="ModelException">A column is missing, or has another type.</exception>
    public static void ScoreTable(IModelCode code, EventBatch table, Span<double> scores, int rowsAtOnce = RowsAtOnce)
    {
        var columns = TableColumns(code, table.Schema);
        var scorer = code.NewScorer();
        FeatureRow[] vectors = [.. Enumerable.Range(0, Math.Min(rowsAtOnce, table.Count)).Select(_ => new FeatureRow(code.Inputs.Count))];
        for (var first = 0; first < table.Count; first += rowsAtOnce)
        {
            var count = Math.Min(rowsAtOnce, table.Count - first);
            for (var i = 0; i < count; i++)
                Fill(table, columns, first + i, vectors[i]);
            scorer.ScoreBatch(vectors.AsSpan(0, count), scores.Slice(first * code.Width, count * code.Width));
        }
    }

    private static void Fill(EventBatch table, int[] columns, int row, FeatureRow vector)
    {
        vector.Clear();
        for (var i = 0; i < columns.Length; i++)
            VectorCopy.Cell(table, columns[i], row, vector, i);
    }

    /// <exception cref="ModelException">A column is missing, or has another type.</exception>
    public static int[] TableColumns(IModelCode code, EventSchema table) => [.. code.Inputs.Select(input =>
    {
        var column = table.IndexOf(input.Name);
        if (column < 0)
            throw new ModelException($"the table has no column '{input.Name}', which the model reads; it has {string.Join(", ", table.Fields.Take(20).Select(f => f.Name))}");
        return table.Fields[column].Type == input.Type
            ? column
            : throw new ModelException($"column '{input.Name}' of the table is {table.Fields[column].Type}, and the model reads it as {input.Type}");
    })];

    private string? HashOf(string service) => catalog.Services.Any(s => s.Name == service) ? ServedService.Compile(catalog, catalog.Service(service)).Program.Hash : null;

    private static void RequireInputs(ModelFolder folder, IModelCode code)
    {
        var said = folder.Manifest.Inputs.Select(i => (i.Name, i.Type, i.Origin));
        var found = code.Inputs.Select(i => (i.Name, i.Type.ToString(), i.Origin.ToString()));
        if (said.SequenceEqual(found))
            return;
        var first = said.Except(found).Concat(found.Except(said)).FirstOrDefault();
        throw new ModelException($"{folder.Version} is damaged: its manifest names {folder.Manifest.Inputs.Count} inputs and {ModelFiles.Model} reads {code.Inputs.Count}, first difference '{first.Name}' ({first.Item2}, {first.Item3}); publish it again");
    }
}
