using Confluent.Kafka;
using StreamMl.Infrastructure.Kafka.Native;

namespace StreamMl.Infrastructure.Kafka;

/// <summary>Readers of raw bytes for one endpoint. Thread-safe; what it makes is not.</summary>
public sealed class KafkaConsumerFactory(KafkaEndpoint endpoint)
{
    /// <summary>The source that services use: librdkafka's batches, copied once.</summary>
    public IRecordSource CreateSource(RecordSourceOptions? options = null) =>
        new NativeRecordSource(KafkaSettings.Consumer(endpoint, options ?? new()), options ?? new());

    /// <summary>The source over Confluent.Kafka's consumer: the slower, independent way of the same reading.</summary>
    public IRecordSource CreateManagedSource(RecordSourceOptions? options = null) =>
        new ConfluentRecordSource(KafkaSettings.Consumer(endpoint, options ?? new()), options ?? new());

    /// <summary>Confluent.Kafka's own consumer with the house's settings: manual offsets, ends as events, a lost offset is an error.</summary>
    public IConsumer<byte[], byte[]> CreateClient(RecordSourceOptions? options = null) =>
        new ConsumerBuilder<byte[], byte[]>(KafkaSettings.Consumer(endpoint, options ?? new())).SetLogHandler(static (_, _) => { }).Build();
}
