using Confluent.Kafka;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using StreamMl.Infrastructure.Kafka.Native;

namespace StreamMl.Infrastructure.Kafka;

/// <summary>Readers of raw bytes for one endpoint. Thread-safe; what it makes is not.</summary>
public sealed class KafkaConsumerFactory(KafkaEndpoint endpoint)
{
    /// <summary>The source that services use: librdkafka's batches, copied once. A static member waits for its own name, if it was killed before.</summary>
    /// <param name="options">How it reads.</param>
    /// <param name="logger">Told of such a wait; null: nobody is.</param>
    public IRecordSource CreateSource(RecordSourceOptions? options = null, ILogger? logger = null)
    {
        var wanted = options ?? new();
        IRecordSource Make() => new NativeRecordSource(KafkaSettings.Consumer(endpoint, wanted), wanted);
        return wanted is { GroupId: { } group, GroupInstanceId: { } name } && !endpoint.IsEmbedded
            ? new StaticMemberSource(Make, group, name, SessionTimeout, TimeProvider.System, logger ?? NullLogger.Instance)
            : Make();
    }

    /// <summary>The source over Confluent.Kafka's consumer: the slower, independent way of the same reading.</summary>
    public IRecordSource CreateManagedSource(RecordSourceOptions? options = null) =>
        new ConfluentRecordSource(KafkaSettings.Consumer(endpoint, options ?? new()), options ?? new());

    /// <summary>Confluent.Kafka's own consumer with the house's settings: manual offsets, ends as events, a lost offset is an error.</summary>
    public IConsumer<byte[], byte[]> CreateClient(RecordSourceOptions? options = null) =>
        new ConsumerBuilder<byte[], byte[]>(KafkaSettings.Consumer(endpoint, options ?? new())).SetLogHandler(static (_, _) => { }).Build();

    private TimeSpan SessionTimeout()
    {
        using var admin = new TopicAdmin(endpoint);
        return admin.SessionTimeoutAsync(CancellationToken.None).GetAwaiter().GetResult();
    }
}
