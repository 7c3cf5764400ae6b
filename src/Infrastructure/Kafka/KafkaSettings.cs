using Confluent.Kafka;

namespace StreamMl.Infrastructure.Kafka;

/// <summary>The client settings that do not depend on who uses them.</summary>
internal static class KafkaSettings
{
    public static ClientConfig Client(KafkaEndpoint endpoint)
    {
        var config = new ClientConfig { BootstrapServers = endpoint.BootstrapServers, ClientId = "streamml" };
        foreach (var (name, value) in endpoint.ClientSettings) config.Set(name, value);
        return config;
    }

    /// <summary>For every way of reading records: offsets are ours, a lost offset is an error, ends are events, latency is low.</summary>
    public static Dictionary<string, string> Consumer(KafkaEndpoint endpoint, RecordSourceOptions options)
    {
        var settings = Client(endpoint).ToDictionary(p => p.Key, p => p.Value, StringComparer.Ordinal);
        settings["group.id"] = options.GroupId ?? "streamml-unmanaged";
        settings["enable.auto.commit"] = "false";
        settings["enable.auto.offset.store"] = "false";
        settings["auto.offset.reset"] = "error";
        settings["enable.partition.eof"] = "true";
        settings["isolation.level"] = "read_committed";
        settings["allow.auto.create.topics"] = "false";
        // A real broker answers as soon as there is something. The embedded one looks once more when the wait is over: there the wait is the latency.
        settings["fetch.wait.max.ms"] = (endpoint.IsEmbedded ? options.EmbeddedFetchWaitMs : options.FetchWaitMaxMs).ToString();
        // A full local queue is looked at again after this long: the default of 1 s would starve a fast reader.
        settings["fetch.queue.backoff.ms"] = "5";
        settings["queued.max.messages.kbytes"] = (options.QueueMaxBytes / 1024).ToString();
        // The bound that counts is the one in bytes.
        settings["queued.min.messages"] = "1000000";
        settings["max.partition.fetch.bytes"] = options.PartitionFetchMaxBytes.ToString();
        if (options.GroupId is not null) Group(settings, options);
        if (options is { GroupId: not null, GroupInstanceId: { } instance } && !endpoint.IsEmbedded) settings["group.instance.id"] = instance;
        foreach (var (name, value) in options.ClientSettings) settings[name] = value;
        return settings;
    }

    private static void Group(Dictionary<string, string> settings, RecordSourceOptions options)
    {
        settings["max.poll.interval.ms"] = options.MaxPollIntervalMs.ToString();
        if (options.UseConsumerProtocol)
        {
            settings["group.protocol"] = "consumer";
            return;
        }

        // A member learns of a rebalance by its next heartbeat: the default of 3 s makes every change of hands slow.
        settings["heartbeat.interval.ms"] = Math.Min(1000, options.SessionTimeoutMs / 3).ToString();
        settings["session.timeout.ms"] = options.SessionTimeoutMs.ToString();
        settings["partition.assignment.strategy"] = "cooperative-sticky";
    }
}
