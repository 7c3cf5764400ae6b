using System.Numerics;
using CsCheck;
using StreamMl.ModelEngine.Trees;

namespace StreamMl.ModelEngine.Tests.Trees;

public sealed class TreeExplainerTests
{
    [Fact]
    public void Explain_RandomTrees_EqualsShapleyValuesByDefinition() => Gen.Int.Sample(seed =>
    {
        var random = new Random(seed);
        var ensemble = RandomTrees.Ensemble(random, random.Next(1, 4), random.Next(1, 14), deep: random.Next(3) == 0);
        var explainer = new TreeExplainer(ensemble);
        var room = new TreeExplainerRoom(explainer.Depth);
        for (var i = 0; i < 5; i++)
        {
            var slots = RandomTrees.Vector(random);
            var contributions = new double[slots.Length];

            var expected = explainer.Explain(slots, ensemble.Scale, contributions, room);

            (ensemble.Bias + expected + contributions.Sum()).ShouldBe(ensemble.Evaluate(slots), 1e-9);
            var wanted = Shapley(ensemble, slots);
            for (var s = 0; s < slots.Length; s++)
                contributions[s].ShouldBe(wanted[s], 1e-9, $"seed {seed}, slot {s}");
        }
    }, iter: 200);

    [Fact]
    public void Explain_DeepTrees_IsAdditive()
    {
        var random = new Random(11);
        var ensemble = RandomTrees.Ensemble(random, 40, 60, deep: true);
        var explainer = new TreeExplainer(ensemble);
        var room = new TreeExplainerRoom(explainer.Depth);
        for (var i = 0; i < 50; i++)
        {
            var (slots, contributions) = (RandomTrees.Vector(random), new double[RandomTrees.Slots.Count]);

            var expected = explainer.Explain(slots, ensemble.Scale, contributions, room);

            (ensemble.Bias + expected + contributions.Sum()).ShouldBe(ensemble.Evaluate(slots), 1e-9);
        }
    }

    // phi(s) = sum over sets S without s of |S|! (n-|S|-1)! / n! * (v(S+s) - v(S)).
    private static double[] Shapley(TreeEnsemble ensemble, float[] slots)
    {
        var n = slots.Length;
        var values = Enumerable.Range(0, 1 << n).Select(set => ensemble.Scale * ensemble.Trees.Sum(t => Value(t, t.Slots.Count == 0 ? ~0 : 0, slots, set))).ToArray();
        return [.. Enumerable.Range(0, n).Select(s => Enumerable.Range(0, 1 << n).Where(set => (set >> s & 1) == 0).Sum(set =>
        {
            var size = BitOperations.PopCount((uint)set);
            return Factorial(size) * Factorial(n - size - 1) / Factorial(n) * (values[set | (1 << s)] - values[set]);
        }))];
    }

    // A known slot decides; an unknown one goes both ways by the children's weight.
    private static double Value(DecisionTree tree, int child, float[] slots, int known)
    {
        if (child < 0)
            return tree.LeafValues[~child];
        var (left, right) = (tree.Left[child], tree.Right[child]);
        if ((known >> tree.Slots[child] & 1) == 1)
            return Value(tree, tree.GoesLeft(child, slots[tree.Slots[child]]) ? left : right, slots, known);
        var (leftWeight, weight) = (Weight(tree, left), Weight(tree, child));
        var share = weight == 0 ? 0.5 : leftWeight / weight;
        return (share * Value(tree, left, slots, known)) + ((1 - share) * Value(tree, right, slots, known));
    }

    private static double Weight(DecisionTree tree, int child) => child < 0 ? tree.LeafWeights[~child] : Weight(tree, tree.Left[child]) + Weight(tree, tree.Right[child]);

    private static double Factorial(int n) => n <= 1 ? 1 : n * Factorial(n - 1);
}
