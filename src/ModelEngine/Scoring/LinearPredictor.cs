using StreamMl.ModelEngine.Steps;
using StreamMl.ModelEngine.Trees;
using StreamMl.Shared.Models;

namespace StreamMl.ModelEngine.Scoring;

/// <summary>
/// <c>bias + sum of weights[i] * x[slots[i]]</c>, in doubles, in the order of the lists. A slot that is NaN makes it NaN: pipelines of linear models impute.
/// Immutable; thread-safe.
/// </summary>
/// <param name="Slots">Slots that it reads, each once; one with weight 0 may be left out.</param>
/// <param name="Weights">One per slot, finite.</param>
/// <param name="Means">The slots' means over the training rows, from which explanations are measured; empty where they are not known.</param>
public sealed record LinearFunction(double Bias, IReadOnlyList<int> Slots, IReadOnlyList<double> Weights, IReadOnlyList<double> Means)
{
    internal void Check(int index, int slots)
    {
        const string remedy = "restore the model from a copy, or train it again";
        if (Slots.Count != Weights.Count || (Means.Count != 0 && Means.Count != Slots.Count))
            throw new ModelException($"linear function {index} has {Slots.Count} slots, {Weights.Count} weights and {Means.Count} means; the numbers must be equal (or no means): {remedy}");
        if (Slots.Any(s => s < 0 || s >= slots))
            throw new ModelException($"linear function {index} reads slot {Slots.First(s => s < 0 || s >= slots)} of {slots}: {remedy}");
        if (Slots.Distinct().Count() != Slots.Count)
            throw new ModelException($"linear function {index} reads a slot twice: {remedy}");
        if (!double.IsFinite(Bias) || Weights.Concat(Means).Any(w => !double.IsFinite(w)))
            throw new ModelException($"linear function {index} has a bias, weight or mean that is no finite number: {remedy}");
    }
}

/// <summary>One linear function per raw score.</summary>
public sealed record LinearPredictor(IReadOnlyList<LinearFunction> Functions) : Predictor
{
    public override int Outputs => Functions.Count;

    internal override string? WhyUnexplained =>
        Functions.Any(f => f.Means.Count != f.Slots.Count) ? "its linear function has no means of its slots: train the model again" : null;

    internal override IEnumerable<TreeEnsemble> Ensembles => [];

    internal override void Check(IReadOnlyList<Slot> slots)
    {
        for (var i = 0; i < Functions.Count; i++)
            Functions[i].Check(i, slots.Count);
    }

    internal override CompiledPredictor Compile(IReadOnlyList<Slot> slots, KernelChoice kernels) => new CompiledLinear(Functions);

    public override Predictor WithSlots(IReadOnlyList<int> map) =>
        new LinearPredictor([.. Functions.Select(f => f with { Slots = [.. f.Slots.Select(s => map[s])] })]);

    internal override Predictor WithBackground(Queue<TreeEnsemble> ensembles, IReadOnlyList<double> means) =>
        new LinearPredictor([.. Functions.Select(f => f with { Means = [.. f.Slots.Select(s => means[s])] })]);
}
