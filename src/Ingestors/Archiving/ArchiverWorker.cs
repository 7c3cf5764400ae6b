using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using StreamMl.Infrastructure.Archive;
using StreamMl.Infrastructure.Kafka;
using StreamMl.Infrastructure.Registry;
using StreamMl.Shared.Definitions;
using StreamMl.Shared.Log;

namespace StreamMl.Ingestors.Archiving;

/// <summary>Archives every log of the catalogue, source and repartition topics, until it is stopped.</summary>
internal sealed partial class ArchiverWorker(
    Catalog catalog, KafkaEndpoint kafka, SchemaRegistryClient registry, IOptions<ArchiverOptions> options, TimeProvider time, ILogger<Archiver> logger) : BackgroundService
{
    private const int NoSuchSchema = 40403;

    /// <summary>Nobody waits for what is archived.</summary>
    private const int EmbeddedFetchWaitMs = 50;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var logs = LogsOf(catalog).Concat(options.Value.MoreLogs).ToDictionary(StringComparer.Ordinal);
        if (logs.Count == 0)
            return;
        using var admin = new TopicAdmin(kafka);
        var layout = new ArchiveLayout(options.Value.Directory);
        foreach (var (log, partitions) in logs)
        {
            await admin.EnsureTopicAsync(log, partitions, stoppingToken);
            layout.SetTopic(log, await admin.DescribeAsync(log, stoppingToken));
        }

        using var source = new KafkaConsumerFactory(kafka).CreateSource(new RecordSourceOptions
        {
            GroupId = options.Value.GroupId,
            GroupInstanceId = options.Value.GroupInstanceId,
            UseConsumerProtocol = options.Value.UseConsumerProtocol,
            EmbeddedFetchWaitMs = EmbeddedFetchWaitMs,
        }, logger);
        using var archiver = new Archiver(layout, source, logs, new SchemaArchive(layout, SchemaOf), options.Value, time, logger)
        {
            Budget = kafka.Budget,
            FirstOffsets = kafka.IsEmbedded ? null : partitions => admin.FirstOffsetsAsync(partitions, stoppingToken).GetAwaiter().GetResult(),
        };
        await Task.Factory.StartNew(() => archiver.Run(stoppingToken), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
    }

    /// <summary>The topics that some view, or a service's trigger, reads, with their partition counts.</summary>
    internal static IReadOnlyDictionary<string, int> LogsOf(Catalog catalog)
    {
        var logs = new SortedDictionary<string, int>(StringComparer.Ordinal);
        foreach (var source in catalog.Sources)
        {
            foreach (var log in LogNames.LogsOf(catalog, source))
                logs[log] = source.Partitions;
        }

        return logs;
    }

    private string? SchemaOf(int id, CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                return registry.GetSchemaAsync(id, cancellationToken).AsTask().GetAwaiter().GetResult();
            }
            catch (RegistryException e) when (e.ErrorCode == NoSuchSchema)
            {
                return null;
            }
            catch (HttpRequestException e)
            {
                RegistryNotReached(logger, id, e);
                Task.Delay(TimeSpan.FromMilliseconds(options.Value.RetryDelayMs), time, cancellationToken).GetAwaiter().GetResult();
            }
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Schema {SchemaId} cannot be read from the registry now; trying again")]
    private static partial void RegistryNotReached(ILogger logger, int schemaId, Exception error);
}
