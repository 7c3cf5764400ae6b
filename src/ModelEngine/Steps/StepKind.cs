namespace StreamMl.ModelEngine.Steps;

/// <summary>How many columns a step of a kind reads at a time.</summary>
public enum StepColumns
{
    /// <summary>Each column that matches, by itself.</summary>
    Each,

    /// <summary>Two named columns, in order.</summary>
    Two,

    /// <summary>Two or three named columns, in order.</summary>
    TwoOrThree,
}

/// <summary>A kind of step. Immutable.</summary>
/// <param name="Name">What a definition calls it.</param>
/// <param name="Columns">How it takes its columns.</param>
/// <param name="Summary">One sentence.</param>
/// <param name="OutputName">Rule of the output's name where the definition gives none; see <see cref="StepDefinition.Name"/>.</param>
/// <param name="Own">Its own parameters; see <see cref="Parameters"/>.</param>
public sealed record StepKind(string Name, StepColumns Columns, string Summary, string OutputName, IReadOnlyList<StepParameter> Own)
{
    private static readonly string[] AddingKinds = ["cross", "cyclic", "time_part", "ratio", "difference"];

    /// <summary>Whether the columns read stay unless a definition says otherwise: true where the output says something else than they do.</summary>
    public bool Keeps => AddingKinds.Contains(Name);

    /// <summary>All its parameters, with <c>keep</c>, which every kind but <c>drop</c> has.</summary>
    public IReadOnlyList<StepParameter> Parameters => Name == "drop"
        ? Own
        : [.. Own, StepParameter.Flag("keep", Keeps, "Whether a number that was read stays beside the output. Strings and times can be read by any number of steps.")];
}

/// <summary>What a parameter's text stands for.</summary>
public enum StepParameterType
{
    Integer,
    Number,
    Numbers,
    Flag,
    Choice,
    Text,
}

/// <summary>A parameter of a kind. Immutable.</summary>
/// <param name="Default">Its value where none is given; null: none.</param>
/// <param name="Min">Least number allowed.</param>
/// <param name="Max">Greatest number allowed.</param>
/// <param name="Choices">Words allowed.</param>
/// <param name="Summary">One sentence.</param>
public sealed record StepParameter(string Name, StepParameterType Type, string? Default, double Min, double Max, IReadOnlyList<string> Choices, string Summary)
{
    internal static StepParameter Integer(string name, int standard, int min, int max, string summary) => new(name, StepParameterType.Integer, standard.ToString(), min, max, [], summary);

    internal static StepParameter Number(string name, double? standard, double min, double max, string summary) =>
        new(name, StepParameterType.Number, standard?.ToString("R"), min, max, [], summary);

    internal static StepParameter Numbers(string name, string summary) => new(name, StepParameterType.Numbers, null, double.MinValue, double.MaxValue, [], summary);

    internal static StepParameter Flag(string name, bool standard, string summary) => new(name, StepParameterType.Flag, standard ? "true" : "false", 0, 0, ["true", "false"], summary);

    internal static StepParameter Choice(string name, string? standard, string[] choices, string summary) => new(name, StepParameterType.Choice, standard, 0, 0, choices, summary);

    internal static StepParameter Text(string name, string? standard, string summary) => new(name, StepParameterType.Text, standard, 0, 0, [], summary);
}
