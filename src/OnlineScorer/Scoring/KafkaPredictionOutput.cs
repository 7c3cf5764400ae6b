using System.Globalization;
using System.Text;
using Confluent.Kafka;
using StreamMl.Infrastructure.Avro;
using StreamMl.Infrastructure.Kafka;
using StreamMl.Infrastructure.Predictions;
using StreamMl.Shared.Log;

namespace StreamMl.OnlineScorer.Scoring;

/// <summary>Predictions to a topic, dead letters to <c>TOPIC.dead-letter</c>, by one sender: without gaps, or what is read back after a crash would hide what was lost.</summary>
internal sealed class KafkaPredictionOutput(string topic, IRecordSender sender, KafkaConsumerFactory consumers) : IPredictionOutput
{
    private const string VariantHeader = "variant";
    private const string OffsetHeader = "source-offset";
    private const int FirstLook = 1_000;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);
    private readonly string deadLetters = LogNames.DeadLetterTopic(topic);

    public ValueTask SendAsync(int partition, ReadOnlyMemory<byte>? key, ReadOnlyMemory<byte> value, long timestampUs, CancellationToken cancellationToken) =>
        sender.SendAsync(new PartitionId(topic, partition), key, value, timestampUs, null, cancellationToken);

    public ValueTask SendDeadLetterAsync(FailedEvent failed, CancellationToken cancellationToken)
    {
        KeyValuePair<string, byte[]>[] headers =
        [
            new("reason", Encoding.UTF8.GetBytes(failed.Reason)),
            new(VariantHeader, Encoding.UTF8.GetBytes(failed.Variant)),
            new("source-topic", Encoding.UTF8.GetBytes(failed.Topic)),
            new("source-partition", Text(failed.Partition)),
            new(OffsetHeader, Text(failed.Offset)),
        ];
        return sender.SendAsync(new PartitionId(deadLetters, failed.Partition), failed.Key is { } key ? new ReadOnlyMemory<byte>?(key) : null, failed.Value, failed.ArrivalTimeUs, headers, cancellationToken);
    }

    public Task FlushAsync(CancellationToken cancellationToken) => sender.FlushAsync(cancellationToken);

    public ValueTask DisposeAsync() => sender.DisposeAsync();

    public WrittenPredictions ReadBack(int partition, long fromTriggerOffset)
    {
        using var consumer = consumers.CreateClient();
        var predicted = new Dictionary<string, long>(StringComparer.Ordinal);
        ReadTail(consumer, new TopicPartition(topic, partition), fromTriggerOffset, record =>
        {
            var (variant, offset) = ReadHead(record.Message.Value);
            predicted[variant] = Math.Max(offset, predicted.GetValueOrDefault(variant, -1));
            return offset;
        });
        var dead = new HashSet<(string, long)>();
        ReadTail(consumer, new TopicPartition(deadLetters, partition), fromTriggerOffset, record =>
        {
            var offset = long.Parse(HeaderOf(record, OffsetHeader), NumberStyles.None, CultureInfo.InvariantCulture);
            dead.Add((HeaderOf(record, VariantHeader), offset));
            return offset;
        });
        return new WrittenPredictions(predicted, dead);
    }

    /// <summary>Reads the partition from its end so far back that an event before the wanted one is seen, or all of it.</summary>
    /// <param name="consumer">A client of its own.</param>
    /// <param name="partition">What is read.</param>
    /// <param name="fromTriggerOffset">The first trigger offset that matters.</param>
    /// <param name="take">Takes a record, answers its trigger offset.</param>
    private static void ReadTail(IConsumer<byte[], byte[]> consumer, TopicPartition partition, long fromTriggerOffset, Func<ConsumeResult<byte[], byte[]>, long> take)
    {
        var ends = PartitionEnds.Ask(consumer, partition, Patience);
        for (long look = FirstLook; ends.High.Value > ends.Low.Value; look *= 8)
        {
            var start = Math.Max(ends.Low.Value, ends.High.Value - look);
            if (Read(consumer, partition, start, ends.High.Value, take) < fromTriggerOffset || start == ends.Low.Value)
                return;
        }
    }

    private static long Read(IConsumer<byte[], byte[]> consumer, TopicPartition partition, long start, long end, Func<ConsumeResult<byte[], byte[]>, long> take)
    {
        var least = long.MaxValue;
        consumer.Assign(new TopicPartitionOffset(partition, start));
        for (var next = start; next < end;)
        {
            var record = consumer.Consume(Patience)
                ?? throw new KafkaException(new Error(ErrorCode.Local_TimedOut, $"{partition}: no record came at offset {next} of {end} within {Patience.TotalSeconds} s, while what was written before was read back"));
            if (record.IsPartitionEOF)
                break;
            least = Math.Min(least, take(record));
            next = record.Offset.Value + 1;
        }

        consumer.Unassign();
        return least;
    }

    /// <summary>The first texts of a prediction: id, model, version, variant.</summary>
    private static (string Variant, long Offset) ReadHead(byte[] value)
    {
        if (!ConfluentWire.TryReadSchemaId(value, out _, out var body))
            throw new InvalidDataException($"a record of the predictions topic is none: {ConfluentWire.Explain(value)}");
        var reader = new AvroHead(body);
        var id = PredictionId.Parse(reader.Text());
        var model = reader.Text();
        _ = reader.Text();
        return (PredictionSink.VariantOf(model, reader.Text()), id.Offset);
    }

    private static string HeaderOf(ConsumeResult<byte[], byte[]> record, string name) => record.Message.Headers.TryGetLastBytes(name, out var bytes)
        ? Encoding.UTF8.GetString(bytes)
        : throw new InvalidDataException($"{record.TopicPartitionOffset} has no header '{name}': someone else writes to this topic");

    private static byte[] Text(long number) => Encoding.ASCII.GetBytes(number.ToString(CultureInfo.InvariantCulture));
}
