using System.Text.Json.Serialization;
using StreamMl.ModelEngine.Steps;
using StreamMl.ModelEngine.Trees;

namespace StreamMl.ModelEngine.Scoring;

/// <summary>
/// What was trained, as it is kept in <c>model.json</c>: a function from a vector of slots to raw scores, one of binary and regression models, one per class of
/// multiclass ones. Raw scores are what explanations add up to. Immutable; thread-safe.
/// </summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "kind", UnknownDerivedTypeHandling = JsonUnknownDerivedTypeHandling.FailSerialization)]
[JsonDerivedType(typeof(TreePredictor), "trees")]
[JsonDerivedType(typeof(LinearPredictor), "linear")]
[JsonDerivedType(typeof(BlendPredictor), "blend")]
[JsonDerivedType(typeof(StackPredictor), "stack")]
public abstract record Predictor
{
    /// <summary>Number of raw scores per row.</summary>
    [JsonIgnore]
    public abstract int Outputs { get; }

    /// <summary>Throws a <see cref="Shared.Models.ModelException"/> where it is not sound for these slots.</summary>
    internal abstract void Check(IReadOnlyList<Slot> slots);

    /// <summary>Whether explanations are possible, or what is missing.</summary>
    internal abstract string? WhyUnexplained { get; }

    /// <summary>The predictor made ready for scoring; immutable.</summary>
    internal abstract CompiledPredictor Compile(IReadOnlyList<Slot> slots, KernelChoice kernels);

    /// <summary>The same predictor reading slot <c>map[s]</c> where this one reads slot <c>s</c>: a member trained on some of a model's slots.</summary>
    public abstract Predictor WithSlots(IReadOnlyList<int> map);

    /// <summary>The tree ensembles in it, in order, members' included.</summary>
    internal abstract IEnumerable<TreeEnsemble> Ensembles { get; }

    /// <summary>The same predictor with these in place of <see cref="Ensembles"/>, and these means of the model's slots.</summary>
    internal abstract Predictor WithBackground(Queue<TreeEnsemble> ensembles, IReadOnlyList<double> means);
}

/// <summary>One tree ensemble per raw score.</summary>
[method: JsonConstructor]
public sealed record TreePredictor(IReadOnlyList<TreeEnsemble> Functions) : Predictor
{
    public TreePredictor(TreeEnsemble function)
        : this([function])
    {
    }

    public override int Outputs => Functions.Count;

    internal override string? WhyUnexplained =>
        Functions.Any(f => f.Trees.Any(t => t.LeafWeights.Count == 0)) ? "its trees have no leaf weights: train the model again, or count them with ExplanationBackground" : null;

    internal override IEnumerable<TreeEnsemble> Ensembles => Functions;

    internal override void Check(IReadOnlyList<Slot> slots)
    {
        for (var i = 0; i < Functions.Count; i++)
            TreeChecks.Check(Functions[i], i, slots);
    }

    internal override CompiledPredictor Compile(IReadOnlyList<Slot> slots, KernelChoice kernels) => new CompiledTrees(Functions, slots, kernels);

    public override Predictor WithSlots(IReadOnlyList<int> map) =>
        new TreePredictor([.. Functions.Select(f => f with { Trees = [.. f.Trees.Select(t => t with { Slots = [.. t.Slots.Select(s => map[s])] })] })]);

    internal override Predictor WithBackground(Queue<TreeEnsemble> ensembles, IReadOnlyList<double> means) => new TreePredictor([.. Functions.Select(_ => ensembles.Dequeue())]);
}
