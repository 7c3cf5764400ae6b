using StreamMl.ModelEngine.Steps;
using StreamMl.ModelEngine.Trees;

namespace StreamMl.ModelEngine.Scoring;

/// <summary>How tree ensembles are run. Every kernel gives the same bits; they differ in speed alone.</summary>
public enum KernelKind
{
    /// <summary>One tree after the other. For every ensemble.</summary>
    Plain,

    /// <summary>Eight trees at a time without branches. For trees of up to 32,767 leaves.</summary>
    Interleaved,

    /// <summary>Thresholds per slot, leaves as bits. For trees of up to 64 leaves.</summary>
    BitVector,
}

/// <summary>Which kernel runs each of a model's ensembles: a given one, or the fastest by trial. Immutable; thread-safe.</summary>
public sealed class KernelChoice
{
    private readonly KernelKind kind;
    private readonly TimeProvider? time;

    private KernelChoice(KernelKind kind, TimeProvider? time) => (this.kind, this.time) = (kind, time);

    /// <summary>The kernel that is good for most models, without trial: interleaved.</summary>
    public static KernelChoice Default { get; } = Fixed(KernelKind.Interleaved);

    /// <summary>That kernel, or the plain one where an ensemble is too large for it.</summary>
    public static KernelChoice Fixed(KernelKind kind) => new(kind, null);

    /// <summary>
    /// The fastest for each ensemble, tried for some milliseconds on vectors around the ensemble's own thresholds. Which one is chosen may differ from load to load; what it answers does not.
    /// </summary>
    /// <param name="time">Measures the trials.</param>
    public static KernelChoice ByTrial(TimeProvider time) => new(KernelKind.Interleaved, time);

    internal (KernelKind Kind, TreeKernel Kernel) Build(TreeEnsemble ensemble, VectorLayout layout, IReadOnlyList<Slot> slots)
    {
        if (time is not null)
            return KernelTrial.Fastest(ensemble, layout, slots, time);
        return TryBuild(kind, ensemble, layout) is { } kernel ? (kind, kernel) : (KernelKind.Plain, new PlainKernel(ensemble, layout));
    }

    /// <summary>The kernel of that kind, or null where the ensemble is too large for it.</summary>
    internal static TreeKernel? TryBuild(KernelKind kind, TreeEnsemble ensemble, VectorLayout layout) => kind switch
    {
        KernelKind.Plain => new PlainKernel(ensemble, layout),
        KernelKind.Interleaved => InterleavedKernel.TryCreate(ensemble, layout),
        KernelKind.BitVector => BitVectorKernel.TryCreate(ensemble, layout),
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "there is no such kernel"),
    };
}
