using CsCheck;
using StreamMl.ModelEngine.Scoring;
using StreamMl.ModelEngine.Steps;
using StreamMl.ModelEngine.Trees;

namespace StreamMl.ModelEngine.Tests.Trees;

public sealed class TreeKernelTests
{
    private static readonly KernelKind[] Kinds = Enum.GetValues<KernelKind>();

    [Fact]
    public void Sum_RandomEnsembles_EveryKernelEqualsThePlainWalkToTheBit() => Gen.Int.Sample(seed =>
    {
        var random = new Random(seed);
        Check(RandomTrees.Ensemble(random, random.Next(0, 30), random.Next(1, 40), deep: random.Next(4) == 0), random, Kinds);
    }, iter: 300);

    [Fact]
    public void Sum_DeepUnbalancedTrees_EqualsThePlainWalk()
    {
        var random = new Random(3);
        Check(RandomTrees.Ensemble(random, 11, 64, deep: true), random, Kinds);
        Check(RandomTrees.Ensemble(random, 9, 700, deep: true), random, [KernelKind.Plain, KernelKind.Interleaved]);
    }

    [Fact]
    public void Sum_SingleLeavesOnly_IsTheirSum()
    {
        var ensemble = new TreeEnsemble(0, 1, [DecisionTree.Leaf(0.1), DecisionTree.Leaf(0.2), DecisionTree.Leaf(0.3)]);

        Check(ensemble, new Random(1), Kinds);
        ensemble.Evaluate([0, 0, 0, 0, 0]).ShouldBe(0.1 + 0.2 + 0.3);
    }

    [Fact]
    public void Fill_MoreCategoriesAndSetsThanATableHolds_AsksEachSet()
    {
        const int Cardinality = 400_000;
        Slot[] slots = [new("k", ["k"], Cardinality)];
        DecisionTree[] trees = [.. Enumerable.Range(0, 5).Select(i => new DecisionTree([0], [0], [true], [~0], [~1], [new CategorySplit(0, [i, Cardinality - 1 - i])], [1, 1 << (i + 1)], []))];
        var ensemble = new TreeEnsemble(0, 1, trees);
        var layout = new VectorLayout([ensemble], slots);
        var vector = new float[layout.Length];
        var kernel = new PlainKernel(ensemble, layout);

        foreach (var value in new[] { 0, 3, 4, 5, Cardinality - 1, Cardinality, -1, 2.5f, float.NaN, float.PositiveInfinity })
        {
            layout.Fill([value], vector);
            kernel.Sum(vector, kernel.NewRoom()).ShouldBe(ensemble.Evaluate([value]), $"{value}");
        }
    }

    [Fact]
    public void TryBuild_MoreThan64Leaves_BitVectorRefuses()
    {
        var tree = RandomTrees.Tree(new Random(5), 65);
        var ensemble = new TreeEnsemble(0, 1, [tree]);
        var layout = new VectorLayout([ensemble], RandomTrees.Slots);

        KernelChoice.TryBuild(KernelKind.BitVector, ensemble, layout).ShouldBeNull();
        KernelChoice.Fixed(KernelKind.BitVector).Build(ensemble, layout, RandomTrees.Slots).Kind.ShouldBe(KernelKind.Plain);
    }

    [Fact]
    public void ByTrial_AnyEnsemble_ChoosesOneThatAnswersTheSame()
    {
        var random = new Random(7);
        var ensemble = RandomTrees.Ensemble(random, 20, 31);
        var layout = new VectorLayout([ensemble], RandomTrees.Slots);

        var (kind, kernel) = KernelChoice.ByTrial(TimeProvider.System).Build(ensemble, layout, RandomTrees.Slots);

        Kinds.ShouldContain(kind);
        CheckKernel(ensemble, layout, kernel, random);
    }

    [Fact]
    public void SumOfABlock_RandomEnsembles_EqualsThePlainWalkOfEachRowToTheBit() => Gen.Int.Sample(seed =>
    {
        var random = new Random(seed);
        CheckBlocks(RandomTrees.Ensemble(random, random.Next(0, 30), random.Next(1, 65), deep: random.Next(4) == 0), random);
    }, iter: 300);

    [Fact]
    public void SumOfABlock_LeavesOnBothSidesOfAWord_EqualsThePlainWalk()
    {
        var random = new Random(4);
        foreach (var leaves in new[] { 31, 32, 33, 63, 64 })
            CheckBlocks(new TreeEnsemble(0.25, 1, [.. Enumerable.Range(0, 9).Select(i => RandomTrees.Tree(random, leaves, deep: i % 2 == 0))]), random);
    }

    [Fact]
    public void ScoreBatch_AnyNumberOfRows_EqualsRowByRow()
    {
        var random = new Random(6);
        var trees = new CompiledTrees([RandomTrees.Ensemble(random, 12, 31), RandomTrees.Ensemble(random, 12, 40)], RandomTrees.Slots, KernelChoice.Default);
        for (var rows = 0; rows <= (3 * BlockKernel.Rows) + 1; rows++)
        {
            float[] slots = [.. Enumerable.Range(0, rows).SelectMany(_ => RandomTrees.Vector(random))];
            var (batch, one, run) = (new double[rows * 2], new double[2], trees.NewRun());
            run.ScoreBatch(slots, rows, batch);
            for (var row = 0; row < rows; row++)
            {
                run.Score(slots.AsSpan(row * RandomTrees.Slots.Count, RandomTrees.Slots.Count), one);
                batch.AsSpan(row * 2, 2).SequenceEqual(one).ShouldBeTrue($"row {row} of {rows}");
            }
        }
    }

    [Fact]
    public void Sum_AnyKernel_AllocatesNothing()
    {
        var random = new Random(9);
        var ensemble = RandomTrees.Ensemble(random, 20, 31);
        var layout = new VectorLayout([ensemble], RandomTrees.Slots);
        var (slots, vector) = (RandomTrees.Vector(random), new float[layout.Length]);
        foreach (var kind in Kinds)
        {
            var kernel = KernelChoice.TryBuild(kind, ensemble, layout)!;
            var room = kernel.NewRoom();
            kernel.Sum(vector, room);
            var before = GC.GetAllocatedBytesForCurrentThread();
            for (var i = 0; i < 100; i++)
            {
                layout.Fill(slots, vector);
                kernel.Sum(vector, room);
            }

            (GC.GetAllocatedBytesForCurrentThread() - before).ShouldBe(0, $"{kind}");
        }
    }

    private static void Check(TreeEnsemble ensemble, Random random, IEnumerable<KernelKind> kinds)
    {
        TreeChecks.Check(ensemble, 0, RandomTrees.Slots);
        var layout = new VectorLayout([ensemble], RandomTrees.Slots);
        foreach (var kind in kinds)
            CheckKernel(ensemble, layout, KernelChoice.TryBuild(kind, ensemble, layout)!, random);
    }

    private static void CheckBlocks(TreeEnsemble ensemble, Random random)
    {
        TreeChecks.Check(ensemble, 0, RandomTrees.Slots);
        var layout = new VectorLayout([ensemble], RandomTrees.Slots);
        var kernel = BlockKernel.TryCreate(ensemble, layout).ShouldNotBeNull();
        var (vector, block, sums, room) = (new float[layout.Length], new float[layout.Length * BlockKernel.Rows], new double[BlockKernel.Rows], kernel.NewRoom());
        for (var round = 0; round < 4; round++)
        {
            float[][] rows = [.. Enumerable.Range(0, BlockKernel.Rows).Select(_ => RandomTrees.Vector(random))];
            for (var row = 0; row < rows.Length; row++)
            {
                layout.Fill(rows[row], vector);
                for (var entry = 0; entry < vector.Length; entry++)
                    block[(entry * BlockKernel.Rows) + row] = vector[entry];
            }

            kernel.Sum(block, sums, room);
            for (var row = 0; row < rows.Length; row++)
            {
                var score = ensemble.Bias + (ensemble.Scale * sums[row]);
                if (BitConverter.DoubleToInt64Bits(score) != BitConverter.DoubleToInt64Bits(ensemble.Evaluate(rows[row])))
                    Assert.Fail($"row {row}: {score:R} instead of {ensemble.Evaluate(rows[row]):R} for {string.Join(", ", rows[row])}");
            }
        }
    }

    private static void CheckKernel(TreeEnsemble ensemble, VectorLayout layout, TreeKernel kernel, Random random)
    {
        var (vector, room) = (new float[layout.Length], kernel.NewRoom());
        for (var i = 0; i < 50; i++)
        {
            var slots = RandomTrees.Vector(random);
            layout.Fill(slots, vector);
            var score = ensemble.Bias + (ensemble.Scale * kernel.Sum(vector, room));
            if (BitConverter.DoubleToInt64Bits(score) != BitConverter.DoubleToInt64Bits(ensemble.Evaluate(slots)))
                Assert.Fail($"{kernel.GetType().Name}: {score:R} instead of {ensemble.Evaluate(slots):R} for {string.Join(", ", slots)}");
        }
    }
}
