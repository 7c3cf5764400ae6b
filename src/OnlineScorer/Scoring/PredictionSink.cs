using StreamMl.OnlineScorer.Triggers;
using StreamMl.Shared.Events;
using StreamMl.Shared.Log;

namespace StreamMl.OnlineScorer.Scoring;

/// <summary>
/// Scores trigger events and writes predictions: the champion's, which decides, and the challenger's beside it. Events that no model may score become dead letters. After
/// a crash events come again: what the topics hold already is read back when a partition is assigned, and is not written again.
/// </summary>
/// <param name="source">The trigger.</param>
/// <param name="service">Whose events they are.</param>
/// <param name="host">The models that serve.</param>
/// <param name="output">Where predictions go.</param>
/// <param name="register">Registers a schema of predictions; answers its id.</param>
internal sealed class PredictionSink(
    Shared.Definitions.SourceDefinition source, string service, ModelHost host, IPredictionOutput output, Func<string, CancellationToken, ValueTask<int>> register) : ITriggerSink
{
    private readonly Dictionary<int, WrittenPredictions> written = [];
    private readonly List<Lane> lanes = [];
    private readonly int[] some = new int[EventScorer.MaxEvents];
    private readonly KeyValuePair<string, object?> tag = new("service", service);
    private IReadOnlyList<ServingModel>? serving;

    public string Name => "predictions";

    /// <summary>Tells the writers of one topic apart, whatever versions they had.</summary>
    public static string VariantOf(string model, string variant) => $"{model}/{variant}";

    public long Assigned(PartitionId partition, long nextOffset)
    {
        // Not simply the offset behind the last prediction: another variant may be further back.
        written[partition.Partition] = output.ReadBack(partition.Partition, nextOffset);
        return nextOffset;
    }

    public async Task WriteAsync(ServedBatch batch, IReadOnlyList<int> requests, CancellationToken cancellationToken)
    {
        // One look at what serves: a batch is scored by the same models throughout.
        await UseAsync(host.Serving, batch.Events.Schema, cancellationToken);
        var made = 0L;
        for (var first = 0; first < requests.Count; first += some.Length)
        {
            var count = Math.Min(some.Length, requests.Count - first);
            for (var i = 0; i < count; i++)
                some[i] = requests[first + i];
            foreach (var lane in lanes)
                lane.Scorer.Score(batch, some.AsSpan(0, count));
            // In the order of the topic, whatever the model.
            for (var i = 0; i < count; i++)
            {
                foreach (var lane in lanes)
                {
                    var sent = WriteAsync(lane, batch, some[i], lane.Scorer.Rows[i], ref made, cancellationToken);
                    if (!sent.IsCompletedSuccessfully)
                        await sent;
                }
            }
        }

        ServingMetrics.Predictions.Add(made, tag);
    }

    public Task FlushAsync(CancellationToken cancellationToken) => output.FlushAsync(cancellationToken);

    public ValueTask DisposeAsync() => output.DisposeAsync();

    /// <summary>Counts the prediction that is made: none of an event that is written already, nor of one that is dead-lettered.</summary>
    private ValueTask WriteAsync(Lane lane, ServedBatch batch, int request, ScoredRow scored, ref long made, CancellationToken cancellationToken)
    {
        var trigger = batch.Triggers[request];
        var partition = trigger.Partition.Partition;
        if (IsWritten(lane, partition, trigger.Offset))
            return ValueTask.CompletedTask;
        if (scored.Refusal is not { } refusal)
        {
            made++;
            return output.SendAsync(partition, batch.KeyMemory(request), lane.Encoder.Encode(batch, request, scored), trigger.ArrivalTimeUs, cancellationToken);
        }

        ServingMetrics.Failed.Add(1, tag);
        return output.SendDeadLetterAsync(
            new FailedEvent(lane.Variant, trigger.Partition.Topic, partition, trigger.Offset, batch.Key(request), batch.Value(request), trigger.ArrivalTimeUs, refusal), cancellationToken);
    }

    private bool IsWritten(Lane lane, int partition, long offset) => written.TryGetValue(partition, out var before) && offset <= before.LastOffset
        && (offset <= before.Predicted.GetValueOrDefault(lane.Variant, -1) || before.DeadLettered.Contains((lane.Variant, offset)));

    private async ValueTask UseAsync(IReadOnlyList<ServingModel> now, EventSchema trigger, CancellationToken cancellationToken)
    {
        if (ReferenceEquals(now, serving))
            return;
        var old = lanes.ToList();
        lanes.Clear();
        foreach (var model in now.Where(m => m.Model.Service.Program.Name == service))
            lanes.Add(old.Find(l => l.Serving == model) ?? await OpenAsync(model, trigger, cancellationToken));
        serving = now;
    }

    private async ValueTask<Lane> OpenAsync(ServingModel model, EventSchema trigger, CancellationToken cancellationToken)
    {
        var schema = model.Model.PredictionsOf(trigger.Fields.Where(f => f.Name != source.EventTimeField));
        var id = await register(schema.Avro, cancellationToken);
        var scorer = new EventScorer(model.Model, model.Model.GivenColumns(trigger, $"source '{source.Name}', the service's trigger,"));
        return new Lane(model, VariantOf(model.Model.Version.Name, model.Variant), scorer, new PredictionEncoder(model, source.Topic, trigger, schema, id));
    }

    private sealed record Lane(ServingModel Serving, string Variant, EventScorer Scorer, PredictionEncoder Encoder);
}
