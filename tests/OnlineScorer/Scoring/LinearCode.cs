using System.Text.Json;
using StreamMl.ModelEngine;
using StreamMl.OnlineScorer.Scoring;
using StreamMl.Shared.Events;
using StreamMl.Shared.Features;
using StreamMl.Shared.Models;

namespace StreamMl.OnlineScorer.Tests.Scoring;

/// <summary>A model that a test can compute in its head: the logistic of bias + the sum of weight × value; texts count by their length, nulls as 0.</summary>
internal sealed record LinearDocument(double Bias, IReadOnlyList<double> Weights, IReadOnlyList<ModelInput> Inputs)
{
    public byte[] ToJson() => JsonSerializer.SerializeToUtf8Bytes(this);
}

internal sealed class LinearFactory : IModelCodeFactory
{
    public IModelCode Load(ReadOnlyMemory<byte> document) => new LinearCode(JsonSerializer.Deserialize<LinearDocument>(document.Span) ?? throw new ModelException("empty"));
}

internal sealed class LinearCode(LinearDocument document) : IModelCode
{
    public IReadOnlyList<ModelInput> Inputs => document.Inputs;

    public ModelTask Task => ModelTask.Binary;

    public int Width => 1;

    public IReadOnlyList<string> Classes => ["false", "true"];

    public double Threshold => 0.5;

    public IRowScorer NewScorer() => new Scorer(document);

    private sealed class Scorer(LinearDocument document) : IRowScorer
    {
        public void Score(FeatureRow vector, Span<double> scores) => scores[0] = 1 / (1 + Math.Exp(-(document.Bias + document.Weights.Select((w, i) => w * Value(vector, i)).Sum())));

        public ModelExplanation Explain(FeatureRow vector, int output)
        {
            double[] parts = [.. document.Weights.Select((w, i) => w * Value(vector, i))];
            return new ModelExplanation(parts, document.Bias, document.Bias + parts.Sum(), "log-odds");
        }

        private double Value(FeatureRow vector, int input)
        {
            if (vector.Valid[input] == 0)
                return 0;
            if (vector.Lanes[input] == -1)
                throw new InvalidOperationException("planted");
            return document.Inputs[input].Type switch
            {
                FieldType.Float64 => BitConverter.Int64BitsToDouble(vector.Lanes[input]),
                FieldType.String => vector.Arena.Slice(vector.Lanes[input]).Length,
                _ => vector.Lanes[input],
            };
        }
    }
}
