using StreamMl.Shared.Definitions;

namespace StreamMl.ModelEngine.Steps;

/// <summary>
/// One declared feature-engineering step, as somebody wrote it: <c>{ kind: one_hot, columns: [origin], parameters: { max: 50 } }</c>.
/// <see cref="StepCatalog"/> says which kinds and parameters there are. Immutable.
/// </summary>
/// <param name="Kind">Name of the kind: <c>impute</c>, <c>one_hot</c>, ...</param>
/// <param name="Columns">
/// Columns that it reads: names, or globs with <c>*</c> and <c>?</c>, matched against the inputs and the outputs of the steps before. A kind that reads
/// a fixed number of columns (<c>cross</c>, <c>ratio</c>, <c>difference</c>, <c>time_part</c> of two) takes names in their order.
/// </param>
/// <param name="Parameters">Parameters by name, as text; numbers in invariant form, lists separated by commas.</param>
public sealed record StepDefinition(string Kind, IReadOnlyList<string> Columns, IReadOnlyDictionary<string, string> Parameters)
{
    private static readonly Dictionary<string, string> NoParameters = [];

    public StepDefinition(string kind, params string[] columns)
        : this(kind, columns, NoParameters)
    {
    }

    /// <summary>
    /// Rule for the name of the output: a text in which <c>{column}</c> stands for the column read, <c>{1}</c>, <c>{2}</c>, <c>{3}</c> for the columns of a kind
    /// that reads more than one. Null: the kind's own rule. A kind with several outputs appends to it (<c>_sin</c>, <c>=JFK</c>).
    /// </summary>
    public string? Name { get; init; }

    /// <summary>Where the step was written; null where it was built in code.</summary>
    public SourceLocation? Location { get; init; }

    /// <summary>The same step with one more parameter.</summary>
    public StepDefinition With(string parameter, string value) =>
        this with { Parameters = new Dictionary<string, string>(Parameters, StringComparer.Ordinal) { [parameter] = value } };
}
