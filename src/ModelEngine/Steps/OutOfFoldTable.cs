using StreamMl.ModelEngine.Sampling;

namespace StreamMl.ModelEngine.Steps;

/// <summary>
/// Target encodings of the training rows: per category and fold, what the other folds say. A row's fold is decided by its key (<see cref="ITrainingRows.FoldKey"/>) and the seed. Immutable;
/// thread-safe.
/// </summary>
/// <param name="values">[category][fold][target].</param>
/// <param name="priors">[fold][target]: what a category gives that the other folds do not know.</param>
internal sealed class OutOfFoldTable(double[] values, double[] priors, int folds, int targets, long seed)
{
    public static int FoldOf(long foldKey, int folds, long seed) => (int)(SeededRandom.Mix((ulong)seed, (ulong)foldKey) % (ulong)folds);

    public ReadOnlySpan<double> Values(int category, long foldKey)
    {
        var fold = FoldOf(foldKey, folds, seed);
        return category < 0 ? priors.AsSpan(fold * targets, targets) : values.AsSpan(((category * folds) + fold) * targets, targets);
    }
}

/// <summary>What training rows are encoded with in place of the fitted statistics. Immutable; thread-safe.</summary>
internal sealed class TrainingTables(IReadOnlyDictionary<FittedStep, OutOfFoldTable> tables)
{
    /// <summary>None: scoring.</summary>
    public static TrainingTables None { get; } = new(new Dictionary<FittedStep, OutOfFoldTable>(ReferenceEqualityComparer.Instance));

    public OutOfFoldTable? Find(FittedStep step) => tables.GetValueOrDefault(step);
}
