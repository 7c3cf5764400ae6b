using System.Globalization;
using System.Text;
using StreamMl.Shared.Events;

namespace StreamMl.ModelEngine.Steps;

internal enum ColumnKind
{
    Number,
    Text,
    Time,
}

/// <summary>Where a column's value is while a row is encoded: a register (numbers, booleans, outputs of steps), or the row itself (strings, times).</summary>
/// <param name="Index">Register, or column of the row.</param>
/// <param name="Fallback">What a missing string counts as; null: it is missing.</param>
internal sealed record ColumnBinding(string Name, ColumnKind Kind, int Index, byte[]? Fallback = null);

/// <summary>Resolves names to places, step by step, and collects the operations. One use; not thread-safe.</summary>
internal sealed class PipelineCompiler(IReadOnlyList<ModelInput> columns, TrainingTables training)
{
    private readonly Dictionary<string, ColumnBinding> bindings = new(StringComparer.Ordinal);
    private readonly List<(int Column, int Register, FieldType Type)> loads = [];
    private readonly List<EncodeOp> ops = [];
    private int registers;

    public TrainingTables Training => training;

    /// <summary>Makes an input of the rows known, and loads it where it is a number.</summary>
    public ColumnBinding AddInput(string name)
    {
        var column = IndexOf(name);
        var type = columns[column].Type;
        var binding = type switch
        {
            FieldType.String => new ColumnBinding(name, ColumnKind.Text, column),
            FieldType.Timestamp => new ColumnBinding(name, ColumnKind.Time, column),
            _ => new ColumnBinding(name, ColumnKind.Number, registers++),
        };
        if (binding.Kind == ColumnKind.Number)
            loads.Add((column, binding.Index, type));
        bindings[name] = binding;
        return binding;
    }

    public ColumnBinding Find(string name) => bindings.TryGetValue(name, out var binding)
        ? binding
        : throw new PipelineException($"the pipeline reads a column '{name}' that is neither an input nor an output of an earlier step", "The document is damaged: fit the pipeline again");

    public int Number(string name) => Find(name, ColumnKind.Number).Index;

    public int Time(string name) => Find(name, ColumnKind.Time).Index;

    /// <summary>A new register for an output, which hides earlier columns of its name.</summary>
    public int Output(string name)
    {
        bindings[name] = new ColumnBinding(name, ColumnKind.Number, registers);
        return registers++;
    }

    /// <summary>A string column under another name or with a value for missing ones.</summary>
    public void OutputText(string name, ColumnBinding source, string fallback) =>
        bindings[name] = source with { Name = name, Fallback = source.Fallback ?? Encoding.UTF8.GetBytes(fallback) };

    public void Add(EncodeOp op) => ops.Add(op);

    public PipelineProgram Finish(IEnumerable<string> slots)
    {
        int[] slotRegisters = [.. slots.Select(Number)];
        EncodeOp load = new LoadOp([.. loads.Select(l => l.Column)], [.. loads.Select(l => l.Register)], [.. loads.Select(l => l.Type == FieldType.Float64)]);
        return new PipelineProgram([load, .. ops], registers, slotRegisters);
    }

    /// <summary>A number as it stands in a fitted step.</summary>
    public static double ParseNumber(string column, string text) => double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var value)
        ? value
        : throw new PipelineException($"'{text}' is a value of the number column '{column}' and is no number", "The document is damaged: fit the pipeline again");

    public static PipelineException Unsound(string message) => new(message, "The document is damaged: fit the pipeline again");

    private ColumnBinding Find(string name, ColumnKind kind)
    {
        var binding = Find(name);
        return binding.Kind == kind ? binding : throw Unsound($"the pipeline reads column '{name}' as a {Word(kind)} and it is a {Word(binding.Kind)}");
    }

    private int IndexOf(string name)
    {
        for (var i = 0; i < columns.Count; i++)
        {
            if (columns[i].Name == name)
                return i;
        }

        throw new PipelineException($"the pipeline reads input '{name}' and the rows have none", $"The rows have {string.Join(", ", columns.Select(c => c.Name))}");
    }

    private static string Word(ColumnKind kind) => kind switch
    {
        ColumnKind.Text => "string",
        ColumnKind.Time => "timestamp",
        _ => "number",
    };
}
