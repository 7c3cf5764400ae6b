using StreamMl.ModelEngine.Scoring;
using StreamMl.ModelEngine.Steps;

namespace StreamMl.ModelEngine.Trees;

/// <summary>The ensembles of a <see cref="TreePredictor"/> over one split vector, each with its kernel.</summary>
internal sealed class CompiledTrees : CompiledPredictor
{
    private readonly VectorLayout layout;
    private readonly (double Bias, double Scale, TreeKernel Kernel)[] functions;
    private readonly Lazy<TreeExplainer[]> explainers;

    public CompiledTrees(IReadOnlyList<TreeEnsemble> ensembles, IReadOnlyList<Slot> slots, KernelChoice kernels)
    {
        layout = new VectorLayout(ensembles, slots);
        var built = ensembles.Select(e => kernels.Build(e, layout, slots)).ToArray();
        functions = [.. ensembles.Zip(built, (e, b) => (e.Bias, e.Scale, b.Kernel))];
        Kernels = [.. built.Select(b => b.Kind)];
        explainers = new(() => [.. ensembles.Select(e => new TreeExplainer(e))]);
    }

    public override int Outputs => functions.Length;

    public override IReadOnlyList<KernelKind> Kernels { get; }

    public override PredictorRun NewRun() => new Run(this);

    private sealed class Run(CompiledTrees owner) : PredictorRun
    {
        private readonly float[] vector = new float[owner.layout.Length];
        private readonly TreeKernelRoom[] rooms = [.. owner.functions.Select(f => f.Kernel.NewRoom())];
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

        public override double Explain(ReadOnlySpan<float> slots, int output, double factor, Span<double> contributions)
        {
            explainerRoom ??= new TreeExplainerRoom(owner.explainers.Value.Max(e => e.Depth));
            var (bias, scale, _) = owner.functions[output];
            return (factor * bias) + owner.explainers.Value[output].Explain(slots, factor * scale, contributions, explainerRoom);
        }
    }
}
