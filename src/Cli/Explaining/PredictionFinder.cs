using Confluent.Kafka;
using StreamMl.Infrastructure.Archive;
using StreamMl.Infrastructure.Avro;
using StreamMl.Infrastructure.Kafka;
using StreamMl.Infrastructure.Predictions;
using StreamMl.Infrastructure.Registry;
using StreamMl.Shared.Log;

namespace StreamMl.Cli.Explaining;

/// <summary>Finds a prediction by its id: in the archive, else in the topic of the servers that run.</summary>
/// <param name="archive">The installation's archive.</param>
/// <param name="kafka">Null: the archive alone.</param>
/// <param name="registry">Writer schemas of what the topic holds.</param>
internal sealed class PredictionFinder(ArchiveLayout archive, KafkaEndpoint? kafka, SchemaRegistryClient? registry)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <returns>The prediction and where it was found, or null.</returns>
    public async Task<(Prediction Prediction, string Where)?> FindAsync(string topic, PredictionId id, CancellationToken cancellationToken)
    {
        var partition = new PartitionId(topic, id.Trigger.Partition);
        if (InArchive(partition, id) is { } archived)
            return (archived, $"archive of {partition}");
        if (kafka is null || registry is null || InTopic(partition, id, cancellationToken) is not { } value)
            return null;
        _ = ConfluentWire.TryReadSchemaId(value, out var schemaId, out _);
        return (new PredictionReader(await registry.GetSchemaAsync(schemaId, cancellationToken)).Read(value), $"topic {partition}");
    }

    private Prediction? InArchive(PartitionId partition, PredictionId id)
    {
        foreach (var chunk in new ArchivePartitionReader(archive, partition).Read())
        {
            using (chunk)
            {
                for (var i = 0; i < chunk.Count; i++)
                {
                    if (IsIt(chunk.Value(i), id, out var schemaId))
                        return new PredictionReader(archive.LoadSchema(schemaId)).Read(chunk.Value(i));
                }
            }
        }

        return null;
    }

    private byte[]? InTopic(PartitionId partition, PredictionId id, CancellationToken cancellationToken)
    {
        using var consumer = new KafkaConsumerFactory(kafka!).CreateClient();
        var at = new TopicPartition(partition.Topic, partition.Partition);
        var ends = PartitionEnds.Ask(consumer, at, Patience, cancellationToken);
        consumer.Assign(new TopicPartitionOffset(at, ends.Low));
        for (var next = ends.Low.Value; next < ends.High.Value;)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var record = consumer.Consume(Patience) ?? throw new IOException($"{partition}: no record came at offset {next} of {ends.High} within {Patience.TotalSeconds} s; is {kafka} well?");
            if (record.IsPartitionEOF)
                break;
            if (IsIt(record.Message.Value, id, out _))
                return record.Message.Value;
            next = record.Offset.Value + 1;
        }

        return null;
    }

    private static bool IsIt(ReadOnlySpan<byte> value, PredictionId id, out int schemaId) =>
        ConfluentWire.TryReadSchemaId(value, out schemaId, out var body) && new AvroHead(body).Text() == id.ToString();
}
