using StreamMl.ModelEngine;

namespace StreamMl.Training.Trainers;

/// <summary>A parameter of a trainer: a number in a range.</summary>
/// <param name="IsWhole">Whether it must be a whole number.</param>
/// <param name="Summary">One sentence.</param>
public sealed record TrainerParameter(string Name, double Default, double Min, double Max, bool IsWhole, string Summary);

/// <summary>A kind of trainer. Immutable.</summary>
/// <param name="Name">What a configuration calls it.</param>
/// <param name="IsLinear">Whether its model is a linear function of the slots, which then must be scaled and without missing values.</param>
/// <param name="Tasks">The tasks that it can learn.</param>
public sealed record TrainerKind(string Name, string Summary, bool IsLinear, IReadOnlyList<ModelTask> Tasks, IReadOnlyList<TrainerParameter> Parameters)
{
    public TrainerParameter? Find(string parameter) => Parameters.FirstOrDefault(p => p.Name == parameter);
}

/// <summary>A trainer and its parameters, as somebody declared it; what is not given has the kind's default. Immutable.</summary>
public sealed record TrainerDefinition(TrainerKind Kind, IReadOnlyDictionary<string, double> Parameters)
{
    /// <summary>The parameter's value, or its default.</summary>
    public double this[string name] => Parameters.TryGetValue(name, out var value)
        ? value
        : (Kind.Find(name) ?? throw new ArgumentException($"trainer {Kind.Name} has no parameter '{name}'", nameof(name))).Default;

    public int Whole(string name) => (int)this[name];

    public TrainerDefinition With(IReadOnlyDictionary<string, double> changes)
    {
        var merged = new SortedDictionary<string, double>(Parameters.ToDictionary(StringComparer.Ordinal), StringComparer.Ordinal);
        foreach (var (name, value) in changes)
            merged[name] = value;
        return this with { Parameters = merged };
    }

    /// <summary>Every parameter with its value, defaults too: what a run is tracked with.</summary>
    public IReadOnlyDictionary<string, double> All() => Kind.Parameters.ToDictionary(p => p.Name, p => this[p.Name], StringComparer.Ordinal);

    public override string ToString() => $"{Kind.Name}({string.Join(", ", Parameters.Select(p => $"{p.Key} {p.Value:G6}"))})";
}

/// <summary>Every trainer there is. Pure.</summary>
public static class TrainerCatalog
{
    private static readonly ModelTask[] AllTasks = [ModelTask.Binary, ModelTask.Multiclass, ModelTask.Regression];
    private static readonly TrainerParameter Trees = new("trees", 200, 1, 10_000, true, "Number of trees (of LightGBM's multiclass: per class)");
    private static readonly TrainerParameter Leaves = new("leaves", 31, 2, 4_096, true, "Most leaves of a tree");
    private static readonly TrainerParameter MinRows = new("minRowsPerLeaf", 20, 1, 1_000_000, true, "Fewest training rows in a leaf");
    private static readonly TrainerParameter Rate = new("learningRate", 0.05, 1e-6, 10, false, "Shrinkage of each tree");
    private static readonly TrainerParameter Bins = new("bins", 255, 2, 65_535, true, "Most bins of a slot's histogram");
    private static readonly TrainerParameter FeatureShare = new("featureShare", 1, 1e-3, 1, false, "Share of the slots that each tree sees");
    private static readonly TrainerParameter RowShare = new("rowShare", 1, 1e-3, 1, false, "Share of the rows that each tree sees");
    private static readonly TrainerParameter EarlyStop = new("earlyStopping", 0, 0, 10_000, true, "Rounds without gain on the validation part after which training stops; 0: never");
    private static readonly TrainerParameter L1 = new("l1", 0, 0, 1e6, false, "Weight of the absolute penalty");
    private static readonly TrainerParameter L2 = new("l2", 0, 0, 1e6, false, "Weight of the square penalty");

    public static IReadOnlyList<TrainerKind> Kinds { get; } =
    [
        new("lightgbm", "Gradient boosted trees (LightGBM).", false, AllTasks,
            [Trees, Leaves, MinRows, Rate, Bins, FeatureShare, RowShare, EarlyStop, L1, L2, new("maxDepth", 0, 0, 1_000, true, "Most levels of a tree; 0: no limit")]),
        new("fasttree", "Gradient boosted trees (FastTree).", false, AllTasks, [Trees, Leaves, MinRows, Rate, Bins, FeatureShare, RowShare]),
        new("fastforest", "A random forest (FastForest).", false, AllTasks, [Trees, Leaves, MinRows, Bins, FeatureShare with { Default = 0.7 }, RowShare with { Default = 0.7 }]),
        new("sdca", "A linear model by stochastic dual coordinate ascent.", true, AllTasks, [L1, L2 with { Default = 1e-4 }, new("iterations", 20, 1, 10_000, true, "Most passes over the rows")]),
        new("lbfgs", "A linear model by L-BFGS.", true, [ModelTask.Binary, ModelTask.Multiclass], [L1, L2 with { Default = 1 }, new("iterations", 200, 1, 100_000, true, "Most iterations")]),
    ];

    /// <summary>The kind of that name, or null.</summary>
    public static TrainerKind? Find(string name) => Kinds.FirstOrDefault(k => k.Name == name);
}
