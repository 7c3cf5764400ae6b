namespace StreamMl.ModelEngine.Steps;

/// <summary>
/// Which input columns a model reads and the steps that turn them into its slots, in order. What no step takes away is a slot: numbers and booleans
/// as they are; a timestamp or a string that no step reads is an error (<c>drop</c> it, or exclude it). Immutable.
/// </summary>
/// <param name="Include">Globs (<c>*</c>, <c>?</c>) of the input columns; none means all.</param>
/// <param name="Exclude">Globs of the input columns left out of those included.</param>
/// <param name="Steps">The steps, in the order in which they are fitted and run.</param>
public sealed record PipelineDefinition(IReadOnlyList<string> Include, IReadOnlyList<string> Exclude, IReadOnlyList<StepDefinition> Steps)
{
    /// <summary>
    /// Whether steps leave out columns that are not there, and whole steps that have none left. For a variant with fewer inputs of a definition that was checked
    /// with all of them; otherwise a name that is not there is an error, as it is mostly a slip.
    /// </summary>
    public bool SkipsAbsent { get; init; }

    /// <summary>All inputs, no step.</summary>
    public static PipelineDefinition Empty { get; } = new([], [], []);

    public PipelineDefinition(params StepDefinition[] steps)
        : this([], [], steps)
    {
    }
}
