using StreamMl.ModelEngine.Steps;
using StreamMl.ModelEngine.Trees;
using StreamMl.Shared.Models;

namespace StreamMl.ModelEngine.Scoring;

/// <summary>
/// A weighted sum of its members' raw scores: bagging with equal weights of sum 1, or a blend whose weights were fitted. Log odds are averaged, not
/// probabilities, so that a blend's explanation is exactly the blend of its members'.
/// </summary>
/// <param name="Members">Predictors over the model's slots, with equally many outputs.</param>
/// <param name="Weights">One per member, finite.</param>
public sealed record BlendPredictor(IReadOnlyList<Predictor> Members, IReadOnlyList<double> Weights) : Predictor
{
    /// <summary>The mean of members, as bagging wants it.</summary>
    public static BlendPredictor Mean(IReadOnlyList<Predictor> members) => new(members, [.. members.Select(_ => 1.0 / members.Count)]);

    public override int Outputs => Members[0].Outputs;

    internal override string? WhyUnexplained => Members.Select(m => m.WhyUnexplained).FirstOrDefault(w => w is not null);

    internal override IEnumerable<TreeEnsemble> Ensembles => Members.SelectMany(m => m.Ensembles);

    internal override void Check(IReadOnlyList<Slot> slots)
    {
        Members.CheckMembers(slots);
        if (Weights.Count != Members.Count || Weights.Any(w => !double.IsFinite(w)))
            throw new ModelException($"a blend of {Members.Count} members has {Weights.Count} weights; it needs one finite weight per member: train the model again");
    }

    internal override CompiledPredictor Compile(IReadOnlyList<Slot> slots, KernelChoice kernels) =>
        new CompiledStack([.. Members.Select(m => m.Compile(slots, kernels))], [.. Enumerable.Range(0, Outputs).Select(Function)]);

    public override Predictor WithSlots(IReadOnlyList<int> map) => this with { Members = [.. Members.Select(m => m.WithSlots(map))] };

    internal override Predictor WithBackground(Queue<TreeEnsemble> ensembles, IReadOnlyList<double> means) => this with { Members = [.. Members.Select(m => m.WithBackground(ensembles, means))] };

    private LinearFunction Function(int output) => new(0, [.. Members.Select((_, m) => (m * Outputs) + output)], Weights, []);
}

/// <summary>
/// A linear meta-model over its members' raw scores (stacking): it was fitted on scores of rows that the members had not seen. Linear, so that explanations stay exact.
/// </summary>
/// <param name="Members">Predictors over the model's slots, with equally many outputs.</param>
/// <param name="Meta">One function per raw score; its slot <c>m * outputs + k</c> is raw score <c>k</c> of member <c>m</c>. Its means are not needed.</param>
public sealed record StackPredictor(IReadOnlyList<Predictor> Members, IReadOnlyList<LinearFunction> Meta) : Predictor
{
    public override int Outputs => Meta.Count;

    internal override string? WhyUnexplained => Members.Select(m => m.WhyUnexplained).FirstOrDefault(w => w is not null);

    internal override IEnumerable<TreeEnsemble> Ensembles => Members.SelectMany(m => m.Ensembles);

    internal override void Check(IReadOnlyList<Slot> slots)
    {
        Members.CheckMembers(slots);
        for (var i = 0; i < Meta.Count; i++)
            Meta[i].Check(i, Members.Sum(m => m.Outputs));
    }

    internal override CompiledPredictor Compile(IReadOnlyList<Slot> slots, KernelChoice kernels) => new CompiledStack([.. Members.Select(m => m.Compile(slots, kernels))], Meta);

    public override Predictor WithSlots(IReadOnlyList<int> map) => this with { Members = [.. Members.Select(m => m.WithSlots(map))] };

    internal override Predictor WithBackground(Queue<TreeEnsemble> ensembles, IReadOnlyList<double> means) => this with { Members = [.. Members.Select(m => m.WithBackground(ensembles, means))] };
}

internal static class MemberChecks
{
    public static void CheckMembers(this IReadOnlyList<Predictor> members, IReadOnlyList<Slot> slots)
    {
        if (members.Count == 0 || members.Any(m => m.Outputs != members[0].Outputs))
            throw new ModelException($"an ensemble has {members.Count} members with {string.Join(", ", members.Select(m => m.Outputs))} raw scores; there must be at least 1, and all with equally many: train the model again");
        foreach (var member in members)
            member.Check(slots);
    }
}
