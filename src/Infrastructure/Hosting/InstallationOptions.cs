namespace StreamMl.Infrastructure.Hosting;

/// <summary>Where an installation keeps its files and which servers it uses. A server that is not named is embedded in this process.</summary>
public sealed class InstallationOptions
{
    /// <summary>Everything that is written lies under here. Default <c>.streamml</c>.</summary>
    public string Directory { get; init; } = ".streamml";

    /// <summary>Bootstrap servers; null: librdkafka's mock cluster in this process. Environment: STREAMML_KAFKA.</summary>
    public string? Kafka { get; init; }

    /// <summary>A StackExchange.Redis configuration, such as host:port; null: Garnet in this process. Environment: STREAMML_REDIS.</summary>
    public string? Redis { get; init; }

    /// <summary>URL of a Confluent-compatible schema registry; null: ours in this process. Environment: STREAMML_REGISTRY.</summary>
    public string? Registry { get; init; }

    /// <summary>
    /// How many records of a partition the embedded Kafka keeps when all of this process's workers have read them; null (default): as many as fit into 5 MiB. Where they come in
    /// many small batches, fewer are read faster. A worker that joins later finds no more than these.
    /// </summary>
    public int? EmbeddedKafkaKeptRecords { get; init; }

    /// <summary>The archive of the logs. Default <c>archive</c> under <see cref="Directory"/>.</summary>
    public string ArchiveDirectory => Path.Combine(Directory, "archive");

    /// <summary>Fills what was not given from the environment, and then from the servers that another process of this directory has told of.</summary>
    public InstallationOptions WithDefaults(Func<string, string?> environment, bool findRunning)
    {
        var running = findRunning ? EndpointsFile.Read(Directory) : null;
        return new InstallationOptions
        {
            Directory = Directory,
            EmbeddedKafkaKeptRecords = EmbeddedKafkaKeptRecords,
            Kafka = Kafka ?? environment("STREAMML_KAFKA") ?? running?.Kafka,
            Redis = Redis ?? environment("STREAMML_REDIS") ?? running?.Redis,
            Registry = Registry ?? environment("STREAMML_REGISTRY") ?? running?.Registry,
        };
    }
}
