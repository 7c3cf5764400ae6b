using StreamMl.Infrastructure.Archive;
using StreamMl.Infrastructure.Avro;
using StreamMl.Infrastructure.Predictions;
using StreamMl.Shared.Events;
using StreamMl.Shared.Log;

namespace StreamMl.Cli.Demo;

/// <summary>The scores that were written online, by their trigger event, from the archive of the predictions topic.</summary>
internal static class ServedScores
{
    /// <param name="archive">Has the topic.</param>
    /// <param name="service">Whose predictions.</param>
    /// <param name="variant">Of which models.</param>
    /// <returns>The scores, and the id of one of the predictions for a closer look; empty where there are none.</returns>
    public static async Task<(IReadOnlyDictionary<(long Partition, long Offset), double> Scores, string LastId)> ReadAsync(ArchiveLayout archive, string service, string variant)
    {
        var topic = PredictionSchema.TopicOf(service);
        var source = PredictionTopic.Source(topic);
        using var decoders = new EventDecoderSet(source, source.Schema, (id, _) => ValueTask.FromResult(archive.LoadSchema(id)));
        var scores = new Dictionary<(long, long), double>();
        var (row, lastId) = (new EventBatch(source.Schema, 1), "");
        var (id, ofVariant, partition, offset, score) = (row.Column(PredictionTopic.Id), row.Column(PredictionTopic.Variant), row.Column(PredictionTopic.TriggerPartition), row.Column(PredictionTopic.TriggerOffset), row.Column(PredictionTopic.Score));
        for (var p = 0; p < (archive.Partitions(topic) ?? 0); p++)
        {
            foreach (var chunk in new ArchivePartitionReader(archive, new PartitionId(topic, p)).Read())
            {
                using (chunk)
                {
                    for (var i = 0; i < chunk.Count; i++)
                    {
                        row.Clear();
                        row.NextRow();
                        DecodeStatus status;
                        string? error;
                        while ((status = decoders.Decode(chunk.Value(i), row, 0, out _, out var schemaId, out error)) == DecodeStatus.SchemaMissing)
                            await decoders.PrepareAsync(schemaId);
                        if (status != DecodeStatus.Decoded)
                            throw new InvalidDataException($"{topic}/{p} offset {chunk.Offsets[i]} is no prediction: {error}");
                        if (row.Arena.GetString(ofVariant.Lanes[0]) != variant)
                            continue;
                        lastId = row.Arena.GetString(id.Lanes[0]);
                        scores[(partition.Lanes[0], offset.Lanes[0])] = score.Doubles[0];
                    }
                }
            }
        }

        return (scores, lastId);
    }
}
