using StreamMl.Shared.Definitions;
using StreamMl.Shared.Events;

namespace StreamMl.ModelEngine.Steps;

/// <summary>A column while a pipeline is planned: an input, or an output of a step.</summary>
/// <param name="inputs">Names of the inputs that it is computed from, in their order.</param>
internal sealed class PlanColumn(string name, ColumnKind kind, bool isCategorical, IReadOnlyList<string> inputs)
{
    public string Name { get; } = name;

    public ColumnKind Kind { get; } = kind;

    public bool IsCategorical { get; } = isCategorical;

    public IReadOnlyList<string> Inputs { get; } = inputs;

    /// <summary>Number of categories; known once its step is fitted.</summary>
    public int Cardinality { get; set; }

    /// <summary>Whether a step has read it: then a string or a time need not be a slot.</summary>
    public bool IsRead { get; set; }

    /// <summary>The step that gives it, as long as it is not fitted.</summary>
    public StepFitter? Pending { get; set; }

    public string Word => Kind switch
    {
        ColumnKind.Text => "a string",
        ColumnKind.Time => "a timestamp",
        _ => IsCategorical ? "a code of categories" : "a number",
    };
}

/// <summary>The columns that there are between two steps, in the order in which they become slots. Not thread-safe.</summary>
internal sealed class PlanColumns
{
    private readonly List<PlanColumn> columns;

    /// <exception cref="PipelineException">A pattern of the definition matches no input.</exception>
    public PlanColumns(PipelineDefinition definition, IReadOnlyList<ModelInput> inputs)
    {
        foreach (var pattern in definition.Include.Concat(definition.Exclude))
        {
            if (!inputs.Any(i => Glob.Matches(pattern, i.Name)))
                throw new PipelineException($"no input matches `{pattern}`", Suggestion.Remedy(pattern, inputs.Select(i => i.Name), "inputs"));
        }

        bool IsIn(ModelInput input) =>
            (definition.Include.Count == 0 || definition.Include.Any(p => Glob.Matches(p, input.Name))) && !definition.Exclude.Any(p => Glob.Matches(p, input.Name));
        Inputs = [.. inputs.Where(IsIn)];
        columns = [.. Inputs.Select(i => new PlanColumn(i.Name, KindOf(i.Type), false, [i.Name]))];
    }

    /// <summary>The inputs that are included.</summary>
    public IReadOnlyList<ModelInput> Inputs { get; }

    public IReadOnlyList<PlanColumn> All => columns;

    public PlanColumn? Find(string name) => columns.Find(c => c.Name == name);

    public bool Remove(PlanColumn column) => columns.Remove(column);

    /// <summary>Puts a step's outputs in the place of the column that they replace, or at the end.</summary>
    public void Insert(PlanColumn? place, IEnumerable<PlanColumn> outputs) => columns.InsertRange(place is null ? columns.Count : columns.IndexOf(place), outputs);

    private static ColumnKind KindOf(FieldType type) => type switch
    {
        FieldType.String => ColumnKind.Text,
        FieldType.Timestamp => ColumnKind.Time,
        _ => ColumnKind.Number,
    };
}
