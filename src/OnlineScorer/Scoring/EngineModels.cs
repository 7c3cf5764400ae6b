using StreamMl.ModelEngine;
using StreamMl.ModelEngine.Scoring;
using StreamMl.Shared.Features;
using StreamMl.Shared.Models;

namespace StreamMl.OnlineScorer.Scoring;

/// <summary>Models as the model engine runs them, their trees by the kernel that a trial at load found fastest: all give the same bits.</summary>
public sealed class EngineModels(TimeProvider? time = null) : IModelCodeFactory
{
    private readonly KernelChoice kernels = KernelChoice.ByTrial(time ?? TimeProvider.System);

    public IModelCode Load(ReadOnlyMemory<byte> document) => new Code(ScoringModel.Load(document.Span, ModelFiles.Model, kernels));

    private sealed class Code(ScoringModel model) : IModelCode
    {
        public IReadOnlyList<ModelInput> Inputs => model.Inputs;

        public ModelTask Task => model.Task;

        public int Width => model.Outputs;

        public IReadOnlyList<string> Classes => model.Classes;

        public double Threshold => model.DecisionThreshold;

        public IRowScorer NewScorer() => new Scorer(model.NewScorer());
    }

    private sealed class Scorer(ModelScorer scorer) : IRowScorer
    {
        public void Score(FeatureRow vector, Span<double> scores) => scorer.Score(vector, scores);

        public void ScoreBatch(ReadOnlySpan<FeatureRow> vectors, Span<double> scores) => scorer.ScoreBatch(vectors, scores);

        public ModelExplanation? Explain(FeatureRow vector, int output)
        {
            if (!scorer.Model.CanExplain)
                return null;
            var contributions = new double[scorer.Model.Inputs.Count];
            var expected = scorer.Explain(vector, contributions, output);
            var raw = new double[scorer.Model.Outputs];
            scorer.RawScores(vector, raw);
            return new ModelExplanation(contributions, expected, raw[output], scorer.Model.Document.Link == ModelLink.Identity ? "raw score" : "log odds");
        }
    }
}
