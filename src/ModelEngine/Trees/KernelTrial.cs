using StreamMl.ModelEngine.Scoring;
using StreamMl.ModelEngine.Steps;

namespace StreamMl.ModelEngine.Trees;

/// <summary>Times the kernels of an ensemble on the same vectors, in turns, and takes the one with the fastest round.</summary>
internal static class KernelTrial
{
    private const int Rounds = 4;
    private const int MaxRows = 1_024;
    private const int StepsPerRound = 1 << 20;

    public static (KernelKind Kind, TreeKernel Kernel) Fastest(TreeEnsemble ensemble, VectorLayout layout, IReadOnlyList<Slot> slots, TimeProvider time)
    {
        var candidates = Enum.GetValues<KernelKind>()
            .Select(kind => (Kind: kind, Kernel: KernelChoice.TryBuild(kind, ensemble, layout)))
            .Where(c => c.Kernel is not null)
            .Select(c => new Candidate(c.Kind, c.Kernel!)).ToArray();
        // Distinct rows, or the branch predictor learns them; fewer of a large ensemble, so that loading it does not take seconds.
        var rows = Math.Clamp(StepsPerRound / (8 * (ensemble.Trees.Count + 1)), 16, MaxRows);
        var vectors = Vectors(ensemble, layout, slots, rows);
        for (var round = 0; round < Rounds; round++)
        {
            foreach (var candidate in candidates)
                candidate.Measure(vectors, layout.Length, time);
        }

        var best = candidates.MinBy(c => c.Best)!;
        return (best.Kind, best.Kernel);
    }

    /// <summary>From how many rows on a block of sixteen takes less time than they do one by one; more than sixteen where it never does.</summary>
    public static int LeastRows(TreeEnsemble ensemble, VectorLayout layout, IReadOnlyList<Slot> slots, TreeKernel ofOneRow, BlockKernel ofBlocks, TimeProvider time)
    {
        var rows = Math.Clamp(StepsPerRound / (8 * (ensemble.Trees.Count + 1)), BlockKernel.Rows, MaxRows) / BlockKernel.Rows * BlockKernel.Rows;
        var vectors = Vectors(ensemble, layout, slots, rows);
        var one = new Candidate(KernelKind.Plain, ofOneRow);
        var (room, sums, block) = (ofBlocks.NewRoom(), new double[BlockKernel.Rows], TimeSpan.MaxValue);
        for (var round = 0; round < Rounds; round++)
        {
            one.Measure(vectors, layout.Length, time);
            var start = time.GetTimestamp();
            // Which value stands where does not matter here.
            for (var at = 0; at < vectors.Length; at += layout.Length * BlockKernel.Rows)
                ofBlocks.Sum(vectors.AsSpan(at, layout.Length * BlockKernel.Rows), sums, room);
            var took = time.GetElapsedTime(start);
            block = took < block ? took : block;
        }

        return (int)Math.Ceiling(Math.Min(BlockKernel.Rows + 1, BlockKernel.Rows * (block / one.Best)));
    }

    private static float[] Vectors(TreeEnsemble ensemble, VectorLayout layout, IReadOnlyList<Slot> slots, int rows)
    {
        var thresholds = ensemble.Trees.SelectMany(t => t.Slots.Select((slot, node) => (slot, threshold: t.Thresholds[node]))).ToLookup(p => p.slot, p => p.threshold);
        var pools = slots.Select((_, s) => thresholds[s].DefaultIfEmpty(0).ToArray()).ToArray();
        var random = new Random(1);
        var vectors = new float[rows * layout.Length];
        var vector = new float[slots.Count];
        for (var r = 0; r < rows; r++)
        {
            for (var s = 0; s < vector.Length; s++)
            {
                vector[s] = random.Next(20) == 0 ? float.NaN
                    : slots[s].IsCategorical ? random.Next(slots[s].Cardinality)
                    : MathF.BitIncrement(pools[s][random.Next(pools[s].Length)]);
            }

            layout.Fill(vector, vectors.AsSpan(r * layout.Length, layout.Length));
        }

        return vectors;
    }

    private sealed class Candidate(KernelKind kind, TreeKernel kernel)
    {
        private readonly TreeKernelRoom room = kernel.NewRoom();
        private double kept;

        public KernelKind Kind => kind;

        public TreeKernel Kernel => kernel;

        public TimeSpan Best { get; private set; } = TimeSpan.MaxValue;

        public void Measure(float[] vectors, int length, TimeProvider time)
        {
            var start = time.GetTimestamp();
            for (var at = 0; at < vectors.Length; at += length)
                kept += kernel.Sum(vectors.AsSpan(at, length), room);
            var took = time.GetElapsedTime(start);
            Best = took < Best ? took : Best;
        }
    }
}
