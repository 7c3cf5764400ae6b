using System.Globalization;
using System.Text;
using StreamMl.ModelEngine;
using StreamMl.Shared.Events;

namespace StreamMl.Training.Data;

/// <summary>
/// The label of every row as a number: 0 or 1 (binary), the class from 0 (multiclass), the value (regression); NaN where a row has none. Immutable.
/// </summary>
/// <param name="Name">The column.</param>
/// <param name="Values">By row of the set.</param>
/// <param name="Classes">Names of a multiclass label's classes, in the order of their numbers: numbers ascending, texts in ordinal order.</param>
public sealed record LabelColumn(string Name, double[] Values, IReadOnlyList<string> Classes)
{
    /// <summary>More classes than a confusion matrix can show, and than one model should tell apart.</summary>
    public const int MaxClasses = 100;

    /// <exception cref="TrainingException">The column does not fit the task.</exception>
    public static LabelColumn Read(TrainingSet set, string name, ModelTask task)
    {
        var column = set.RequireColumn(name, "label");
        var type = set.TypeOf(column);
        if (task == ModelTask.Multiclass)
            return Multiclass(set, name, column, type);
        if (type == FieldType.String)
            throw new TrainingException($"label '{name}' is a text, and task {task.ToString().ToLowerInvariant()} needs {(task == ModelTask.Binary ? "a boolean" : "a number")}: take task: multiclass, or another label");
        var values = set.Numbers(column);
        if (task == ModelTask.Binary && Array.Find(values, v => v is not (0 or 1) && !double.IsNaN(v)) is not 0 and var odd)
            throw new TrainingException($"label '{name}' has the value {odd}, and task binary needs a boolean, or 0 and 1: write the rule as a condition, as \"late: arr_delay > 15 from ...\", or take task: regression or multiclass");
        return new LabelColumn(name, values, []);
    }

    private static LabelColumn Multiclass(TrainingSet set, string name, int column, FieldType type)
    {
        var texts = new string?[set.Rows];
        foreach (var chunk in set.Chunks)
        {
            for (var i = 0; i < chunk.Rows; i++)
                texts[chunk.FirstRow + i] = TextOf(chunk.Columns[column], i, type);
        }

        string[] distinct = [.. texts.OfType<string>().Distinct(StringComparer.Ordinal)];
        if (distinct.Length is < 2 or > MaxClasses)
            throw new TrainingException($"label '{name}' has {distinct.Length} classes; task multiclass takes 2 to {MaxClasses}: {(distinct.Length < 2 ? "take another label" : "join classes, or take task: regression")}");
        string[] classes = type == FieldType.String
            ? [.. distinct.Order(StringComparer.Ordinal)]
            : [.. distinct.OrderBy(d => double.Parse(d, CultureInfo.InvariantCulture))];
        var codes = classes.Select((c, i) => (c, i)).ToDictionary(c => c.c, c => (double)c.i, StringComparer.Ordinal);
        return new LabelColumn(name, [.. texts.Select(t => t is null ? double.NaN : codes[t])], classes);
    }

    private static string? TextOf(in SetColumn cell, int row, FieldType type) =>
        !cell.IsValid(row) ? null : type == FieldType.String ? Encoding.UTF8.GetString(cell.Text(row)) : cell.Number(row).ToString("R", CultureInfo.InvariantCulture);
}
