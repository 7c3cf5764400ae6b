using Microsoft.ML;
using Microsoft.ML.Data;
using StreamMl.ModelEngine;
using StreamMl.Training.Extraction;
using StreamMl.Training.Vectors;

namespace StreamMl.Training.Trainers;

/// <summary>A model as ML.NET trained it, and what was taken out of it. Thread-safe.</summary>
internal sealed record TrainedModel(ExtractedModel Extracted, FeatureLayout Layout, ITransformer Transformer, ModelTask Task, int Classes)
{
    /// <summary>What ML.NET itself answers, row after row: the probability (of a forest: the score), a probability per class, the estimate.</summary>
    public double[] MlNetScores(SlotSource source)
    {
        var view = Transformer.Transform(new SlotDataView(source, Layout, Task, Classes));
        var column = view.Schema.GetColumnOrNull("Probability") is { } probability && Task == ModelTask.Binary ? probability : view.Schema["Score"];
        using var cursor = view.GetRowCursor([column]);
        return Task == ModelTask.Multiclass ? Vectors(cursor, column, source.Count) : Numbers(cursor, column, source.Count);
    }

    private static double[] Numbers(DataViewRowCursor cursor, DataViewSchema.Column column, int rows)
    {
        var scores = new double[rows];
        var get = cursor.GetGetter<float>(column);
        for (var i = 0; cursor.MoveNext(); i++)
        {
            var value = 0f;
            get(ref value);
            scores[i] = value;
        }

        return scores;
    }

    private double[] Vectors(DataViewRowCursor cursor, DataViewSchema.Column column, int rows)
    {
        var scores = new double[rows * Classes];
        var get = cursor.GetGetter<VBuffer<float>>(column);
        var value = default(VBuffer<float>);
        for (var i = 0; cursor.MoveNext(); i++)
        {
            get(ref value);
            for (var k = 0; k < Classes; k++)
                scores[(i * Classes) + k] = value.GetItemOrDefault(k);
        }

        return scores;
    }
}
