using StreamMl.Infrastructure.Tables;
using StreamMl.Shared.Events;
using StreamMl.Shared.Models;

namespace StreamMl.Infrastructure.Models;

/// <summary>A score that is not the golden one.</summary>
public sealed record GoldenDifference(int Row, int Class, double Expected, double Found)
{
    public override string ToString() =>
        $"golden row {Row}{(Class > 0 ? $", class {Class}," : "")} has score {Expected:R} and the loaded model gives {Found:R}, a difference of {Math.Abs(Expected - Found):G3} (limit {ModelStoreOptions.GoldenTolerance:G})";
}

/// <summary>
/// Rows of a model's inputs with the scores that they must give: the proof that loaded code and trained model are one. As a file, an Arrow table of
/// the inputs and a column <c>score</c>, or <c>score_0</c>, <c>score_1</c>, … for a multiclass model. Not thread-safe (the batch is shared).
/// </summary>
public sealed class GoldenRows
{
    /// <summary>Rows of a registered model.</summary>
    public const int DefaultRows = 1_000;

    private const string ScoreColumn = "score";

    /// <param name="inputs">The rows; columns by the model's input names.</param>
    /// <param name="scores">Row by row, <paramref name="width"/> values each.</param>
    /// <param name="width">Scores per row: 1, or the number of classes.</param>
    public GoldenRows(EventBatch inputs, double[] scores, int width = 1)
    {
        if (width < 1 || scores.Length != (long)inputs.Count * width)
            throw new ArgumentException($"{inputs.Count} rows of {width} scores need {(long)inputs.Count * width} values, not {scores.Length}", nameof(scores));
        Inputs = inputs;
        Scores = scores;
        Width = width;
    }

    public EventBatch Inputs { get; }

    public double[] Scores { get; }

    public int Width { get; }

    /// <summary>The first score that differs by more than the tolerance, or null. NaN equals NaN, and nothing else.</summary>
    public GoldenDifference? Compare(ScoreRows score)
    {
        var found = new double[Scores.Length];
        score(Inputs, found);
        for (var i = 0; i < found.Length; i++)
        {
            if (!(Math.Abs(found[i] - Scores[i]) <= ModelStoreOptions.GoldenTolerance) && !found[i].Equals(Scores[i]))
                return new GoldenDifference(i / Width, i % Width, Scores[i], found[i]);
        }

        return null;
    }

    /// <summary>Writes the table; the same rows give the same bytes.</summary>
    public void Save(string path)
    {
        var names = ScoreNames(Width);
        if (names.FirstOrDefault(n => Inputs.Schema.IndexOf(n) >= 0) is { } clash)
            throw new ModelException($"a model's input is named '{clash}', as the golden rows' scores are; rename it");
        var schema = new EventSchema("golden", [.. Inputs.Schema.Fields, .. names.Select(n => new EventField(n, FieldType.Float64, Nullable: false))]);
        var table = new EventBatch(schema, Inputs.Count);
        table.Arena.Append(Inputs.Arena.Written);
        for (var c = 0; c < Inputs.Columns.Count; c++)
        {
            Inputs.Columns[c].Lanes.AsSpan(0, Inputs.Count).CopyTo(table.Columns[c].Lanes);
            Inputs.Columns[c].Valid.AsSpan(0, Inputs.Count).CopyTo(table.Columns[c].Valid);
        }

        for (var i = 0; i < Scores.Length; i++)
            table.Columns[Inputs.Columns.Count + (i % Width)].Set(i / Width, Scores[i]);
        table.Count = Inputs.Count;
        using var writer = new ArrowTableWriter(path, schema);
        writer.Write(table);
        writer.Commit();
    }

    public static GoldenRows Load(string path)
    {
        using var reader = new ArrowTableReader(path);
        var schema = reader.Schema;
        var width = schema.IndexOf(ScoreColumn) >= 0 ? 1 : schema.Fields.Count(f => f.Name.StartsWith(ScoreColumn + "_", StringComparison.Ordinal) && int.TryParse(f.Name[(ScoreColumn.Length + 1)..], out _));
        if (width == 0)
            throw new ModelException($"{path} has no column '{ScoreColumn}'; restore the folder from a copy, or train the model again");
        var names = ScoreNames(width);
        var inputs = new EventSchema("inputs", [.. schema.Fields.Where(f => !names.Contains(f.Name))]);
        var rows = new EventBatch(inputs, DefaultRows);
        var scores = new List<double>(DefaultRows * width);
        var part = new EventBatch(schema, DefaultRows);
        int[] inputColumns = [.. inputs.Fields.Select(f => schema.IndexOf(f.Name))];
        int[] scoreColumns = [.. names.Select(schema.IndexOf)];
        while (reader.Read(part, DefaultRows))
        {
            rows.EnsureCapacity(rows.Count + part.Count);
            for (var c = 0; c < inputColumns.Length; c++)
                Append(part, inputColumns[c], rows, c);
            for (var row = 0; row < part.Count; row++)
                scores.AddRange(scoreColumns.Select(c => part.Columns[c].Doubles[row]));
            rows.Count += part.Count;
        }

        return new GoldenRows(rows, [.. scores], width);
    }

    private static void Append(EventBatch part, int column, EventBatch rows, int into)
    {
        var source = part.Columns[column];
        var target = rows.Columns[into];
        source.Valid.AsSpan(0, part.Count).CopyTo(target.Valid.AsSpan(rows.Count));
        source.Lanes.AsSpan(0, part.Count).CopyTo(target.Lanes.AsSpan(rows.Count));
        if (source.Type != FieldType.String)
            return;
        for (var i = 0; i < part.Count; i++)
        {
            if (source.Valid[i] != 0)
                target.Lanes[rows.Count + i] = rows.Arena.Append(part.Arena.Slice(source.Lanes[i]));
        }
    }

    private static string[] ScoreNames(int width) => width == 1 ? [ScoreColumn] : [.. Enumerable.Range(0, width).Select(i => $"{ScoreColumn}_{i}")];
}
