using StreamMl.ModelEngine.Trees;

namespace StreamMl.ModelEngine.Scoring;

/// <summary>How tree ensembles are run. Every kernel gives the same bits; they differ in speed alone.</summary>
public enum KernelKind
{
    /// <summary>One tree after the other.</summary>
    Plain,
}

/// <summary>Which kernel runs a model's trees: a given one, or the fastest of all by trial. Immutable; thread-safe.</summary>
public sealed class KernelChoice
{
    private readonly KernelKind kind;

    private KernelChoice(KernelKind kind) => this.kind = kind;

    /// <summary>The kernel that is good for most models, without trial.</summary>
    public static KernelChoice Default { get; } = new(KernelKind.Plain);

    internal TreeKernel Build(TreeEnsemble ensemble, VectorLayout layout) => kind switch
    {
        KernelKind.Plain => new PlainKernel(ensemble, layout),
        _ => throw new ArgumentOutOfRangeException(nameof(layout), kind, "there is no such kernel"),
    };
}
