using StreamMl.ModelEngine.Scoring;
using StreamMl.ModelEngine.Steps;

namespace StreamMl.ModelEngine.Trees;

/// <summary>The ensembles of a <see cref="TreePredictor"/> over one split vector, each with its kernel.</summary>
internal sealed class CompiledTrees : CompiledPredictor
{
    private readonly VectorLayout layout;
    private readonly (double Bias, double Scale, TreeKernel Kernel)[] functions;
    private readonly BlockKernel[] blocks;
    private readonly int leastRows;
    private readonly Lazy<TreeExplainer[]> explainers;

    public CompiledTrees(IReadOnlyList<TreeEnsemble> ensembles, IReadOnlyList<Slot> slots, KernelChoice kernels)
    {
        layout = new VectorLayout(ensembles, slots);
        var built = ensembles.Select(e => kernels.Build(e, layout, slots)).ToArray();
        functions = [.. ensembles.Zip(built, (e, b) => (e.Bias, e.Scale, b.Kernel))];
        Kernels = [.. built.Select(b => b.Kind)];
        var many = ensembles.Zip(built, (e, b) => kernels.BuildBlocks(e, layout, slots, b.Kernel)).ToArray();
        // One layout of rows serves all: so all or none.
        blocks = many.All(m => m is not null) ? [.. many.Select(m => m!.Value.Kernel)] : [];
        leastRows = blocks.Length == 0 ? int.MaxValue : many.Max(m => m!.Value.LeastRows);
        explainers = new(() => [.. ensembles.Select(e => new TreeExplainer(e))]);
    }

    public override int Outputs => functions.Length;

    public override IReadOnlyList<KernelKind> Kernels { get; }

    public override PredictorRun NewRun() => new Run(this);

    private sealed class Run(CompiledTrees owner) : PredictorRun
    {
        private readonly float[] vector = new float[owner.layout.Length];
        private readonly TreeKernelRoom[] rooms = [.. owner.functions.Select(f => f.Kernel.NewRoom())];
        private readonly BlockKernel.Room[] blockRooms = [.. owner.blocks.Select(b => b.NewRoom())];
        private readonly float[] block = owner.blocks.Length == 0 ? [] : new float[owner.layout.Length * BlockKernel.Rows];
        private readonly double[] sums = new double[BlockKernel.Rows];
        private TreeExplainerRoom? explainerRoom;

        public override void Score(ReadOnlySpan<float> slots, Span<double> raw)
        {
            owner.layout.Fill(slots, vector);
            for (var k = 0; k < raw.Length; k++)
            {
                var (bias, scale, kernel) = owner.functions[k];
                raw[k] = bias + (scale * kernel.Sum(vector, rooms[k]));
            }
        }

        public override void ScoreBatch(ReadOnlySpan<float> slots, int rows, Span<double> raw)
        {
            var (width, outputs) = (rows == 0 ? 0 : slots.Length / rows, owner.functions.Length);
            var done = 0;
            for (; rows - done >= owner.leastRows; done += Math.Min(rows - done, BlockKernel.Rows))
            {
                var count = Math.Min(rows - done, BlockKernel.Rows);
                ScoreBlock(slots.Slice(done * width, count * width), count, raw.Slice(done * outputs, count * outputs));
            }

            if (done < rows)
                base.ScoreBatch(slots[(done * width)..], rows - done, raw[(done * outputs)..]);
        }

        public override double Explain(ReadOnlySpan<float> slots, int output, double factor, Span<double> contributions)
        {
            explainerRoom ??= new TreeExplainerRoom(owner.explainers.Value.Max(e => e.Depth));
            var (bias, scale, _) = owner.functions[output];
            return (factor * bias) + owner.explainers.Value[output].Explain(slots, factor * scale, contributions, explainerRoom);
        }

        // Rows that are missing in the last block stand for none: what their places hold is summed up and not looked at.
        private void ScoreBlock(ReadOnlySpan<float> slots, int rows, Span<double> raw)
        {
            var (width, outputs) = (slots.Length / rows, owner.functions.Length);
            for (var row = 0; row < rows; row++)
            {
                owner.layout.Fill(slots.Slice(row * width, width), vector);
                for (var entry = 0; entry < vector.Length; entry++)
                    block[(entry * BlockKernel.Rows) + row] = vector[entry];
            }

            for (var k = 0; k < outputs; k++)
            {
                var (bias, scale, _) = owner.functions[k];
                owner.blocks[k].Sum(block, sums, blockRooms[k]);
                for (var row = 0; row < rows; row++)
                    raw[(row * outputs) + k] = bias + (scale * sums[row]);
            }
        }
    }
}
