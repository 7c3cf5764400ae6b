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
    /// <summary>Without trial: a block of so many takes less time than they do one by one.</summary>
    private const int GoodLeastRows = 6;

    private readonly KernelKind kind;
    private readonly TimeProvider? time;
    private readonly bool hasBlocks;

    private KernelChoice(KernelKind kind, TimeProvider? time, bool hasBlocks) => (this.kind, this.time, this.hasBlocks) = (kind, time, hasBlocks);

    /// <summary>The kernels that are good for most models, without trial: interleaved, and blocks of sixteen rows where there are that many.</summary>
    public static KernelChoice Default { get; } = new(KernelKind.Interleaved, null, hasBlocks: true);

    /// <summary>That kernel for every row, or the plain one where an ensemble is too large for it.</summary>
    public static KernelChoice Fixed(KernelKind kind) => new(kind, null, hasBlocks: false);

    /// <summary>
    /// The fastest for each ensemble, tried for some milliseconds on vectors around the ensemble's own thresholds. Which one is chosen may differ from load to load; what it answers does not.
    /// </summary>
    /// <param name="time">Measures the trials.</param>
    public static KernelChoice ByTrial(TimeProvider time) => new(KernelKind.Interleaved, time, hasBlocks: true);

    internal (KernelKind Kind, TreeKernel Kernel) Build(TreeEnsemble ensemble, VectorLayout layout, IReadOnlyList<Slot> slots)
    {
        if (time is not null)
            return KernelTrial.Fastest(ensemble, layout, slots, time);
        return TryBuild(kind, ensemble, layout) is { } kernel ? (kind, kernel) : (KernelKind.Plain, new PlainKernel(ensemble, layout));
    }

    /// <summary>What runs many rows of the ensemble at once, and from how many rows on that is faster than the kernel of one row; null where it never is.</summary>
    internal (BlockKernel Kernel, int LeastRows)? BuildBlocks(TreeEnsemble ensemble, VectorLayout layout, IReadOnlyList<Slot> slots, TreeKernel ofOneRow)
    {
        if (!hasBlocks || BlockKernel.TryCreate(ensemble, layout) is not { } kernel)
            return null;
        var least = time is null ? GoodLeastRows : KernelTrial.LeastRows(ensemble, layout, slots, ofOneRow, kernel, time);
        return least <= BlockKernel.Rows ? (kernel, least) : null;
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
