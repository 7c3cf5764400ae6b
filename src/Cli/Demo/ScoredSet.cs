using StreamMl.Infrastructure.Models;
using StreamMl.Infrastructure.Tables;
using StreamMl.OnlineScorer.Scoring;
using StreamMl.Shared.Events;
using StreamMl.Shared.Models;

namespace StreamMl.Cli.Demo;

/// <summary>A labelled set scored offline: by row its trigger event, label and score.</summary>
internal sealed record ScoredSet(IReadOnlyList<(long Partition, long Offset)> Triggers, bool[] Labels, double[] Scores)
{
    private const int Rows = 4096;

    /// <summary>Scores a training set as <c>streamml predict-batch</c> does.</summary>
    /// <param name="store">Has the model.</param>
    /// <param name="model">Which.</param>
    /// <param name="data">The set.</param>
    /// <param name="label">Its label column.</param>
    /// <param name="output">Where the scored files go.</param>
    /// <param name="stop">Ends it.</param>
    public static ScoredSet Score(ModelStore store, ModelVersion model, string data, string label, string output, CancellationToken stop)
    {
        var result = BatchScorer.Run(store.Open(model), new EngineModels(), data, output, stop);
        var (triggers, labels, scores) = (new List<(long, long)>(), new List<bool>(), new List<double>());
        foreach (var file in result.Files)
        {
            using var reader = new ArrowTableReader(file);
            var batch = new EventBatch(reader.Schema, Rows);
            while (reader.Read(batch, Rows))
            {
                var (partitions, offsets, truth, score) = (batch.Column("trigger_partition"), batch.Column("trigger_offset"), batch.Column(label), batch.Column("score"));
                for (var i = 0; i < batch.Count; i++)
                {
                    triggers.Add((partitions.Lanes[i], offsets.Lanes[i]));
                    labels.Add(truth.Lanes[i] != 0);
                    scores.Add(score.Doubles[i]);
                }
            }
        }

        return new ScoredSet(triggers, [.. labels], [.. scores]);
    }
}
