using StreamMl.ModelEngine;
using StreamMl.Shared.Features;

namespace StreamMl.OnlineScorer.Scoring;

/// <summary>The code of one model. Immutable; thread-safe.</summary>
public interface IModelCode
{
    /// <summary>The columns of a vector, in its order.</summary>
    IReadOnlyList<ModelInput> Inputs { get; }

    ModelTask Task { get; }

    /// <summary>Scores of a row: 1, or the number of classes.</summary>
    int Width { get; }

    /// <summary>Names of the classes: of a binary model the negative one, then the positive one; of a multiclass model one per score; none of a regression.</summary>
    IReadOnlyList<string> Classes { get; }

    /// <summary>A binary model's least score that is decided positive.</summary>
    double Threshold { get; }

    /// <summary>One thread's scorer.</summary>
    IRowScorer NewScorer();
}

/// <summary>Scores rows. Not thread-safe.</summary>
public interface IRowScorer
{
    /// <param name="vector">Columns in the order of the model's inputs.</param>
    /// <param name="scores">One value per class, or one.</param>
    void Score(FeatureRow vector, Span<double> scores);

    /// <summary>Scores rows, each as <see cref="Score"/> does, to the bit.</summary>
    /// <param name="vectors">Any number of them.</param>
    /// <param name="scores">Row after row, exactly so many values as the model is wide.</param>
    void ScoreBatch(ReadOnlySpan<FeatureRow> vectors, Span<double> scores)
    {
        for (var i = 0; i < vectors.Length; i++)
        {
            var width = scores.Length / vectors.Length;
            Score(vectors[i], scores.Slice(i * width, width));
        }
    }

    /// <summary>
    /// How the score came about: one contribution per input, which with the base value add up to the raw score: what the model sums up, before link and calibration. Null
    /// where the model cannot tell.
    /// </summary>
    /// <param name="vector">As for <see cref="Score"/>.</param>
    /// <param name="output">The class; 0 for a single score.</param>
    ModelExplanation? Explain(FeatureRow vector, int output);
}

/// <summary>An explained score.</summary>
/// <param name="Contributions">By input, in the model's order.</param>
/// <param name="BaseValue">What the model says of nobody in particular.</param>
/// <param name="Total">The raw score, which base value and contributions add up to.</param>
/// <param name="Space">What the raw score is: log odds, or a score by itself.</param>
public sealed record ModelExplanation(IReadOnlyList<double> Contributions, double BaseValue, double Total, string Space);

/// <summary>Makes models from their documents.</summary>
public interface IModelCodeFactory
{
    /// <param name="document">The bytes of the model's document.</param>
    /// <exception cref="Shared.Models.ModelException">Not a model that this version of the program can run.</exception>
    IModelCode Load(ReadOnlyMemory<byte> document);
}
