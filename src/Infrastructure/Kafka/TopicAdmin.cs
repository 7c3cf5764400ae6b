using Confluent.Kafka;
using Confluent.Kafka.Admin;
using StreamMl.Shared;
using StreamMl.Shared.Log;
using StreamMl.Shared.Store;

namespace StreamMl.Infrastructure.Kafka;

/// <summary>Makes topics and asks for their partitions and offsets, on a real Kafka and on the embedded one. Thread-safe.</summary>
public sealed class TopicAdmin : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan LookAgain = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan DefaultSessionTimeout = TimeSpan.FromSeconds(45);
    private const int Looks = 200;
    private readonly KafkaEndpoint endpoint;
    private readonly Lazy<IAdminClient> client;

    public TopicAdmin(KafkaEndpoint endpoint)
    {
        this.endpoint = endpoint;
        client = new(() => new AdminClientBuilder(Settings(endpoint)).SetLogHandler(static (_, _) => { }).Build());
    }

    /// <summary>
    /// The topic is there with so many partitions when this returns; a real Kafka makes it with its default replication and with
    /// the settings given, which the embedded one ignores. Unless they say otherwise it keeps its records for ever (<c>retention.ms=-1</c>): Kafka counts their
    /// age from their arrival times, so a replay of last year's would be deleted within minutes, read or not.
    /// </summary>
    /// <exception cref="SetupException">It is there with another number of partitions: entity keys would change their place.</exception>
    public async Task EnsureTopicAsync(
        string topic, int partitions, CancellationToken cancellationToken, IReadOnlyDictionary<string, string>? settings = null)
    {
        if (endpoint.Embedded is { } embedded)
        {
            embedded.CreateTopic(topic, partitions);
            return;
        }

        if (await PartitionCountAsync(topic, cancellationToken) is { } existing)
        {
            if (existing == partitions) return;
            throw PartitionMismatch(topic, existing, partitions);
        }

        await CreateAsync(topic, partitions, settings);
        int made = await SeenAsync(topic, cancellationToken);
        if (made != partitions) throw PartitionMismatch(topic, made, partitions);
    }

    /// <summary>Null where there is no such topic.</summary>
    public Task<int?> PartitionCountAsync(string topic, CancellationToken cancellationToken)
    {
        if (endpoint.Embedded is { } embedded)
        {
            return Task.FromResult<int?>(embedded.Topics.TryGetValue(topic, out int partitions) ? partitions : null);
        }

        return Task.Run(() => Count(topic), cancellationToken);
    }

    /// <summary>The first offset that is still there, and the one after the last.</summary>
    public Task<(long Low, long High)> OffsetsAsync(PartitionId partition, CancellationToken cancellationToken) =>
        Task.Run(() => Offsets(partition, cancellationToken), cancellationToken);

    /// <summary>The first offset of each that is still there.</summary>
    /// <exception cref="KafkaException">Some have no leader, or no broker answered in time.</exception>
    public async Task<IReadOnlyDictionary<PartitionId, long>> FirstOffsetsAsync(IReadOnlyCollection<PartitionId> partitions, CancellationToken cancellationToken)
    {
        if (!endpoint.IsEmbedded) return await AskAsync(partitions, OffsetSpec.Earliest(), cancellationToken);
        var offsets = new Dictionary<PartitionId, long>();
        foreach (var partition in partitions)
            offsets[partition] = (await OffsetsAsync(partition, cancellationToken)).Low;
        return offsets;
    }

    /// <summary>Where readers of committed transactions stand when they have read all: below these offsets nothing is undecided. A real Kafka only.</summary>
    public Task<IReadOnlyDictionary<PartitionId, long>> StableEndsAsync(IEnumerable<PartitionId> partitions, CancellationToken cancellationToken) =>
        AskAsync(partitions, OffsetSpec.Latest(), cancellationToken);

    private async Task<IReadOnlyDictionary<PartitionId, long>> AskAsync(IEnumerable<PartitionId> partitions, OffsetSpec what, CancellationToken cancellationToken)
    {
        var wanted = partitions.Select(p => new TopicPartitionOffsetSpec { TopicPartition = new TopicPartition(p.Topic, p.Partition), OffsetSpec = what }).ToList();
        if (wanted.Count == 0) return new Dictionary<PartitionId, long>();
        var start = TimeProvider.System.GetTimestamp();
        while (true)
        {
            var answers = await ListOffsetsAsync(wanted, cancellationToken);
            var failed = answers.Where(a => a.Error.IsError).ToList();
            if (failed.Count == 0)
                return answers.ToDictionary(a => new PartitionId(a.Topic, a.Partition.Value), a => a.Offset.Value);
            if (!failed.TrueForAll(f => PartitionEnds.IsWithoutLeader(f.Error.Code)) || TimeProvider.System.GetElapsedTime(start) > Patience)
                throw new KafkaException(new Error(failed[0].Error.Code, $"{failed[0].TopicPartition}: {failed[0].Error.Reason}"));
            await Task.Delay(LookAgain, TimeProvider.System, cancellationToken);
        }
    }

    /// <summary>What tells this topic from another one of the same name: the id that Kafka gave it (none on the embedded one), and its partitions.</summary>
    /// <exception cref="SetupException">There is no such topic.</exception>
    public async Task<TopicRecord> DescribeAsync(string topic, CancellationToken cancellationToken)
    {
        if (await PartitionCountAsync(topic, cancellationToken) is not { } partitions) throw new SetupException($"There is no topic '{topic}' on {endpoint}.");
        if (endpoint.IsEmbedded) return new TopicRecord("", partitions);
        var answer = await client.Value.DescribeTopicsAsync(TopicCollection.OfTopicNames([topic]), new() { RequestTimeout = Patience }).WaitAsync(cancellationToken);
        return new TopicRecord(answer.TopicDescriptions.Single().TopicId.ToString(), partitions);
    }

    /// <summary>Whether the consumer group has members now; null where the broker cannot tell (the embedded one).</summary>
    public async Task<bool?> GroupIsActiveAsync(string groupId, CancellationToken cancellationToken)
    {
        if (endpoint.IsEmbedded) return null;
        var groups = await client.Value.ListConsumerGroupsAsync(new() { RequestTimeout = Patience }).WaitAsync(cancellationToken);
        var state = groups.Valid.FirstOrDefault(g => g.GroupId == groupId)?.State;
        return state is not (null or ConsumerGroupState.Empty or ConsumerGroupState.Dead);
    }

    /// <summary>For how long the broker holds the place of a silent member (KIP-848's <c>group.consumer.session.timeout.ms</c>); Kafka's default where it does not say.</summary>
    public async Task<TimeSpan> SessionTimeoutAsync(CancellationToken cancellationToken)
    {
        try
        {
            int broker = await Task.Run(() => client.Value.GetMetadata(Patience).Brokers[0].BrokerId, cancellationToken);
            var answer = await client.Value.DescribeConfigsAsync([new ConfigResource { Type = ResourceType.Broker, Name = $"{broker}" }], new() { RequestTimeout = Patience }).WaitAsync(cancellationToken);
            if (answer[0].Entries.TryGetValue("group.consumer.session.timeout.ms", out var entry) && int.TryParse(entry.Value, out int ms)) return TimeSpan.FromMilliseconds(ms);
        }
        catch (KafkaException)
        {
            // No right to ask, or nobody answers now: the default is a good guess, and only how long is waited depends on it.
        }

        return DefaultSessionTimeout;
    }

    /// <summary>How many brokers answer for themselves; fails where none does within the given time.</summary>
    /// <exception cref="KafkaException">No broker answered.</exception>
    public Task<int> BrokersAsync(TimeSpan patience, CancellationToken cancellationToken) =>
        Task.Run(() => client.Value.GetMetadata(patience).Brokers.Count, cancellationToken);

    public void Dispose()
    {
        if (client.IsValueCreated) client.Value.Dispose();
    }

    internal static SetupException PartitionMismatch(string topic, int existing, int wanted) => new(
        $"Topic '{topic}' has {existing} partitions and {wanted} are wanted. Entity keys live where the count puts them, so a topic's count "
        + $"must not change. `streamml features` names every topic that is made from the same source, and all that is to do, when it is started.");

    private async Task<IReadOnlyList<TopicPartitionOffsetError>> ListOffsetsAsync(IEnumerable<TopicPartitionOffsetSpec> wanted, CancellationToken cancellationToken)
    {
        try
        {
            var answer = await client.Value.ListOffsetsAsync(wanted, new() { RequestTimeout = Patience, IsolationLevel = IsolationLevel.ReadCommitted }).WaitAsync(cancellationToken);
            return [.. answer.ResultInfos.Select(i => i.TopicPartitionOffsetError)];
        }
        catch (ListOffsetsException e) when (e.Result.ResultInfos.Exists(i => i.TopicPartitionOffsetError.Error.IsError))
        {
            return [.. e.Result.ResultInfos.Select(i => i.TopicPartitionOffsetError)];
        }
    }

    private static ClientConfig Settings(KafkaEndpoint endpoint)
    {
        // Else asking for a topic makes it, with the broker's default number of partitions.
        var settings = KafkaSettings.Client(endpoint);
        settings.Set("allow.auto.create.topics", "false");
        settings.Set(PartitionEnds.ForgetLeaders.Key, PartitionEnds.ForgetLeaders.Value);
        return settings;
    }

    /// <summary>Brokers learn of a new topic one after the other.</summary>
    private async Task<int> SeenAsync(string topic, CancellationToken cancellationToken)
    {
        for (int look = 0; look < Looks; look++)
        {
            if (await PartitionCountAsync(topic, cancellationToken) is { } count) return count;
            await Task.Delay(LookAgain, TimeProvider.System, cancellationToken);
        }

        throw new SetupException($"Topic '{topic}' was made on {endpoint}, and after {Looks} looks no broker shows it; are all brokers up?");
    }

    private async Task CreateAsync(string topic, int partitions, IReadOnlyDictionary<string, string>? settings)
    {
        var configs = settings?.ToDictionary(StringComparer.Ordinal) ?? new Dictionary<string, string>(StringComparer.Ordinal);
        configs.TryAdd("retention.ms", "-1");
        var specification = new TopicSpecification
        {
            Name = topic,
            NumPartitions = partitions,
            ReplicationFactor = -1,
            Configs = configs,
        };
        try
        {
            await client.Value.CreateTopicsAsync([specification], new() { RequestTimeout = Patience, OperationTimeout = Patience });
        }
        catch (CreateTopicsException e) when (e.Results.TrueForAll(r => r.Error.Code is ErrorCode.TopicAlreadyExists or ErrorCode.NoError))
        {
            // Another worker was faster: its partition count is checked by the caller.
        }
        catch (CreateTopicsException e)
        {
            throw new SetupException(
                $"Topic '{topic}' with {partitions} partitions could not be made on {endpoint}: {e.Results[0].Error.Reason}. "
                + "Make it by hand, or give this client the right to create topics.", e);
        }
    }

    private int? Count(string topic)
    {
        var metadata = client.Value.GetMetadata(topic, Patience).Topics.Single(t => t.Topic == topic);
        if (metadata.Error.Code is ErrorCode.UnknownTopicOrPart) return null;
        if (metadata.Error.IsError) throw new KafkaException(metadata.Error);
        return metadata.Partitions.Count;
    }

    private (long Low, long High) Offsets(PartitionId partition, CancellationToken cancellationToken)
    {
        using var consumer = new ConsumerBuilder<byte[], byte[]>(new ConsumerConfig(KafkaSettings.Client(endpoint)) { GroupId = "streamml-offsets" })
            .SetLogHandler(static (_, _) => { }).Build();
        var offsets = PartitionEnds.Ask(consumer, new TopicPartition(partition.Topic, partition.Partition), Patience, cancellationToken);
        return (offsets.Low.Value, offsets.High.Value);
    }
}
