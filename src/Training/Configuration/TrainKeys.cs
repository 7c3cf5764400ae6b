using StreamMl.Infrastructure.Models;

namespace StreamMl.Training.Configuration;

/// <summary>The keys that each part of train.yaml may have. docs/training.schema.json says the same; a test compares them.</summary>
internal static class TrainKeys
{
    public static readonly string[] Root =
        ["service", "label", "task", "seed", "threads", "split", "features", "steps", "sampling", "imbalance", "trainer", "calibrate", "evaluate", "baselines", "search", "ensemble", "variants", "card"];

    public static readonly string[] Split = ["by", "trainFrom", "validation", "test", "testTo", "train", "gap", "entity"];

    public static readonly string[] Features = ["include", "exclude", "request"];

    public static readonly string[] Variant = ["include", "exclude"];

    public static readonly string[] Sampling = ["kind", "share", "size", "by", "weight", "halfLife"];

    public static readonly string[] Imbalance = ["kind", "rate"];

    public static readonly string[] Evaluate = ["slices", "cost", "minSliceRows", "permutationRows"];

    public static readonly string[] Cost = ["truePositive", "falsePositive", "trueNegative", "falseNegative"];

    public static readonly string[] Search = ["method", "trials", "budget", "space"];

    public static readonly string[] Dimension = ["low", "high", "log"];

    public static readonly string[] Card = [.. ModelCard.Questions.Keys];

    public static readonly string[] Ensemble = ["kind", "members", "share", "trainers", "weights"];
}
