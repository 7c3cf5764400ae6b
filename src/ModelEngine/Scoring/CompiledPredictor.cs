namespace StreamMl.ModelEngine.Scoring;

/// <summary>A predictor made ready for scoring. Immutable; thread-safe.</summary>
internal abstract class CompiledPredictor
{
    public abstract int Outputs { get; }

    /// <summary>The kernels of its tree ensembles, in order.</summary>
    public abstract IReadOnlyList<KernelKind> Kernels { get; }

    /// <summary>Its room to work, for one thread.</summary>
    public abstract PredictorRun NewRun();
}

/// <summary>Runs a predictor; owns the room that it needs. One thread at a time; allocates nothing but in its constructor.</summary>
internal abstract class PredictorRun
{
    /// <param name="slots">The vector.</param>
    /// <param name="raw">One raw score per output.</param>
    public abstract void Score(ReadOnlySpan<float> slots, Span<double> raw);

    /// <summary>Scores rows, each as <see cref="Score"/> does, to the bit.</summary>
    /// <param name="slots">The vectors, row after row.</param>
    /// <param name="rows">How many there are.</param>
    /// <param name="raw">Row after row, one raw score per output each.</param>
    public virtual void ScoreBatch(ReadOnlySpan<float> slots, int rows, Span<double> raw)
    {
        for (var row = 0; row < rows; row++)
        {
            var (width, outputs) = (slots.Length / rows, raw.Length / rows);
            Score(slots.Slice(row * width, width), raw.Slice(row * outputs, outputs));
        }
    }

    /// <summary>Adds <paramref name="factor"/> times each slot's contribution to a raw score.</summary>
    /// <returns><paramref name="factor"/> times the base value, so that it and the contributions add up to the raw score.</returns>
    public abstract double Explain(ReadOnlySpan<float> slots, int output, double factor, Span<double> contributions);
}

internal sealed class CompiledLinear(IReadOnlyList<LinearFunction> functions) : CompiledPredictor
{
    private readonly (double Bias, int[] Slots, double[] Weights, double[] Means)[] functions =
        [.. functions.Select(f => (f.Bias, f.Slots.ToArray(), f.Weights.ToArray(), f.Means.ToArray()))];

    public override int Outputs => functions.Length;

    public override IReadOnlyList<KernelKind> Kernels => [];

    public override PredictorRun NewRun() => new Run(this);

    private sealed class Run(CompiledLinear owner) : PredictorRun
    {
        public override void Score(ReadOnlySpan<float> slots, Span<double> raw)
        {
            for (var k = 0; k < owner.functions.Length; k++)
            {
                var (sum, from, weights, _) = owner.functions[k];
                for (var i = 0; i < from.Length; i++)
                    sum += weights[i] * slots[from[i]];
                raw[k] = sum;
            }
        }

        // w * (x - mean) is the Shapley value of a linear function whose slots are taken as independent (S. Lundberg, S.-I. Lee 2017, corollary 1).
        public override double Explain(ReadOnlySpan<float> slots, int output, double factor, Span<double> contributions)
        {
            var (sum, from, weights, means) = owner.functions[output];
            for (var i = 0; i < from.Length; i++)
            {
                contributions[from[i]] += factor * weights[i] * (slots[from[i]] - means[i]);
                sum += weights[i] * means[i];
            }

            return factor * sum;
        }
    }
}

internal sealed class CompiledStack(CompiledPredictor[] members, IReadOnlyList<LinearFunction> meta) : CompiledPredictor
{
    private readonly (double Bias, int[] From, double[] Weights)[] meta = [.. meta.Select(f => (f.Bias, f.Slots.ToArray(), f.Weights.ToArray()))];

    public override int Outputs => meta.Length;

    public override IReadOnlyList<KernelKind> Kernels { get; } = [.. members.SelectMany(m => m.Kernels)];

    public override PredictorRun NewRun() => new Run(this, [.. members.Select(m => m.NewRun())]);

    private sealed class Run(CompiledStack owner, PredictorRun[] runs) : PredictorRun
    {
        private readonly int width = owner.MemberOutputs;
        private readonly double[] scores = new double[runs.Length * owner.MemberOutputs];

        public override void Score(ReadOnlySpan<float> slots, Span<double> raw)
        {
            for (var m = 0; m < runs.Length; m++)
                runs[m].Score(slots, scores.AsSpan(m * width, width));
            for (var k = 0; k < owner.meta.Length; k++)
            {
                var (sum, from, weights) = owner.meta[k];
                for (var i = 0; i < from.Length; i++)
                    sum += weights[i] * scores[from[i]];
                raw[k] = sum;
            }
        }

        public override double Explain(ReadOnlySpan<float> slots, int output, double factor, Span<double> contributions)
        {
            var (sum, from, weights) = owner.meta[output];
            sum *= factor;
            for (var i = 0; i < from.Length; i++)
                sum += runs[from[i] / width].Explain(slots, from[i] % width, factor * weights[i], contributions);
            return sum;
        }
    }

    private int MemberOutputs => members[0].Outputs;
}
