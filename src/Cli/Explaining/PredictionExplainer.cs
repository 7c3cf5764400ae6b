using System.Globalization;
using StreamMl.BatchBackfill.Parity;
using StreamMl.Infrastructure.Archive;
using StreamMl.Infrastructure.Avro;
using StreamMl.Infrastructure.Models;
using StreamMl.Infrastructure.Predictions;
using StreamMl.OnlineScorer.Scoring;
using StreamMl.Shared.Definitions;
using StreamMl.Shared.Events;
using StreamMl.Shared.Features;
using StreamMl.Shared.Models;
using StreamMl.Shared.Time;

namespace StreamMl.Cli.Explaining;

/// <summary>Computes a prediction again from the archive: the event by its position, the features at the positions that were recorded, the score by the same model.</summary>
internal sealed class PredictionExplainer(Catalog catalog, ModelStore models, ArchiveLayout archive, PredictionFinder finder, ScoringPolicies policies)
{
    /// <exception cref="ModelException">The model is refused, or there is no such prediction.</exception>
    public async Task<ExplainedPrediction> ExplainAsync(PredictionId id, CancellationToken cancellationToken)
    {
        var model = new ModelLoader(catalog, models, new EngineModels(), policies).Load(new ModelReference(id.Model.Name, id.Model.Version));
        var service = model.Service.Program;
        var topic = policies.Of(service.Name).Topic ?? PredictionSchema.TopicOf(service.Name);
        var (prediction, where) = await finder.FindAsync(topic, id, cancellationToken)
            ?? throw new ModelException($"there is no prediction '{id}' in the archive of topic '{topic}' under {archive.Directory}, nor in a Kafka that runs; let the archiver catch up, or check the id");
        var source = catalog.Source(service.Definition.Trigger ?? throw new ModelException($"service '{service.Name}' has no trigger in this catalogue, and '{id}' was made for an event"));
        var given = await TriggerAsync(source, id, cancellationToken);
        var stored = VectorRecompute.Run(catalog, service.Name, archive.Directory, ReadOf(prediction, service.Keys.Select(k => k.Name)), cancellationToken);
        var vector = new FeatureRow(model.Inputs.Count);
        model.Fill(stored, given, 0, model.GivenColumns(given.Schema, $"source '{source.Name}'"), vector);
        return Compare(prediction, where, model, vector);
    }

    private static ExplainedPrediction Compare(Prediction prediction, string where, LoadedModel model, FeatureRow vector)
    {
        var defaults = prediction.Flags.Where(f => f.StartsWith("default:", StringComparison.Ordinal)).Select(f => f["default:".Length..]).ToHashSet(StringComparer.Ordinal);
        var recomputed = Enumerable.Range(0, model.Inputs.Count).Select(i => vector.Get(i, model.Inputs[i].Type)).ToList();
        for (var i = 0; i < model.Inputs.Count; i++)
        {
            // What the policy put there is not in the archive.
            if (defaults.Contains(model.Inputs[i].Name))
                Set(vector, i, prediction.Inputs[i].Value);
        }

        var scorer = model.Code.NewScorer();
        var scores = new double[model.Code.Width];
        scorer.Score(vector, scores);
        var explanation = scorer.Explain(vector, Verdict.Best(scores));
        var inputs = model.Inputs.Select((input, i) => new ExplainedInput(
            input.Name, prediction.Inputs[i].Value, recomputed[i], defaults.Contains(input.Name), explanation?.Contributions[i], ViewOf(prediction, model, i)));
        return new ExplainedPrediction(prediction, where, [.. inputs], explanation, scores);
    }

    private static PredictionView? ViewOf(Prediction prediction, LoadedModel model, int input) => model.StoredColumn(input) is >= 0 and var column
        ? prediction.Views.FirstOrDefault(v => v.View == model.Service.Program.Columns[column].View)
        : null;

    /// <summary>The trigger event as it is archived.</summary>
    private async Task<EventBatch> TriggerAsync(SourceDefinition source, PredictionId id, CancellationToken cancellationToken)
    {
        using var decoders = new EventDecoderSet(source, source.Schema, (schema, _) => ValueTask.FromResult(archive.LoadSchema(schema)));
        var reader = new ArchivePartitionReader(archive, id.Trigger);
        reader.Require(id.Offset, id.Offset + 1);
        var batch = new EventBatch(source.Schema, 1);
        foreach (var chunk in reader.Read(id.Offset, id.Offset + 1))
        {
            using (chunk)
            {
                var value = chunk.Value(0).ToArray();
                if (ConfluentWire.TryReadSchemaId(value, out var schemaId, out _))
                    await decoders.PrepareAsync(schemaId, cancellationToken);
                if (decoders.Decode(value, batch, batch.NextRow(), out _, out _, out var error) != DecodeStatus.Decoded)
                    throw new InvalidDataException($"{id.Trigger} offset {id.Offset} cannot be decoded: {error}");
                batch.Count = 1;
                return batch;
            }
        }

        throw new InvalidDataException($"{id.Trigger} has no record at offset {id.Offset} in the archive; was the topic recreated?");
    }

    private static ServedRead ReadOf(Prediction prediction, IEnumerable<string> keys) => new(
        TimeGrid.FromDateTime(prediction.EventTime),
        keys.ToDictionary(k => k, k => KeyText(prediction.TriggerFields[k]), StringComparer.Ordinal),
        prediction.Views.ToDictionary(
            v => v.View,
            v => v.Partition < 0 ? ServedPosition.NotRead : new ServedPosition(v.Partition, v.NextOffset, v.Watermark is { } at ? TimeGrid.FromDateTime(at) : long.MinValue),
            StringComparer.Ordinal));

    private static string? KeyText(object? value) => value switch
    {
        null => null,
        string text => text,
        bool flag => flag ? "true" : "false",
        DateTime time => TimeGrid.FromDateTime(time).ToString(CultureInfo.InvariantCulture),
        _ => Convert.ToString(value, CultureInfo.InvariantCulture),
    };

    private static void Set(FeatureRow vector, int input, object? value)
    {
        switch (value)
        {
            case null: vector.SetNull(input); break;
            case bool flag: vector.Set(input, flag ? 1L : 0L); break;
            case long number: vector.Set(input, number); break;
            case double number: vector.Set(input, number); break;
            case string text: vector.Set(input, System.Text.Encoding.UTF8.GetBytes(text)); break;
            case DateTime time: vector.Set(input, TimeGrid.FromDateTime(time)); break;
            default: throw new ArgumentException($"a {value.GetType().Name} is no value of a feature", nameof(value));
        }
    }
}
