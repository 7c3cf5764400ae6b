using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using StreamMl.Infrastructure.Kafka;
using StreamMl.Infrastructure.Predictions;
using StreamMl.Infrastructure.Registry;
using StreamMl.Shared.Definitions;
using StreamMl.Shared.Events;
using StreamMl.Shared.Log;

namespace StreamMl.Monitoring.Quality;

/// <summary>
/// Follows the predictions of a service and the events that tell what happened, and keeps <see cref="RealisedQuality"/>. It reads from what the topics still hold, every
/// time it starts: what it knows is a function of them, so nothing of it is stored. A label whose event comes before the first prediction of its variant is not held.
/// </summary>
internal sealed partial class QualityWorker(
    Catalog catalog, KafkaEndpoint kafka, SchemaRegistryClient registry, RealisedQuality quality, IOptions<QualityOptions> options, TimeProvider time, ILogger<QualityWorker> logger)
    : BackgroundService
{
    private const string GroupId = "streamml.quality";

    /// <summary>Figures of the quality are looked at by people.</summary>
    private const int EmbeddedFetchWaitMs = 50;
    private static readonly TimeSpan PollWait = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan RetryPause = TimeSpan.FromMilliseconds(200);

    private readonly QualityOptions wanted = options.Value;

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        Task.Factory.StartNew(() => Run(stoppingToken), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    private void Run(CancellationToken stop)
    {
        var labels = new LabelEvents(catalog.Source(wanted.LabelSource), wanted);
        using var predictions = new TopicRows(PredictionTopic.Source(wanted.Topic, wanted.PredictionField), registry.GetSchemaAsync);
        using var events = new TopicRows(labels.Source, registry.GetSchemaAsync, labels.Schema);
        using var source = new KafkaConsumerFactory(kafka).CreateSource(new RecordSourceOptions { ReadHeaders = false, EmbeddedFetchWaitMs = EmbeddedFetchWaitMs });
        using var batch = new RawRecordBatch();
        var readers = new[] { wanted.Topic, labels.Source.Topic }.ToDictionary(t => t, t => kafka.Budget?.AddReader(t, GroupId), StringComparer.Ordinal);
        using (var admin = new TopicAdmin(kafka))
            source.Assign([.. Partitions(admin, stop).Select(p => new PartitionStart(p, PartitionStart.Beginning))]);
        while (!stop.IsCancellationRequested)
        {
            if (!source.TryReadBatch(batch, PollWait))
                continue;
            foreach (var run in batch.Runs)
            {
                if (run.Partition.Topic == wanted.Topic)
                    predictions.Read(batch, run, Prepare, Predicted);
                else
                    events.Read(batch, run, Prepare, (rows, row) => labels.Add(rows, row, quality));
                readers[run.Partition.Topic]?.Release(run.Partition.Partition, batch.Records[run.First + run.Count - 1].Offset + 1);
            }
        }

        foreach (var reader in readers.Values)
            reader?.Dispose();

        void Prepare(Func<CancellationToken, ValueTask> action) => Retry(action, stop);
    }

    private void Predicted(EventBatch rows, int row)
    {
        var key = rows.Column(wanted.PredictionField);
        if (key.Valid[row] != 0)
            quality.AddPrediction(rows.Arena.GetString(rows.Column(PredictionTopic.Variant).Lanes[row]), rows.Arena.Slice(key.Lanes[row]), rows.Column(PredictionTopic.Score).Doubles[row]);
    }

    private IEnumerable<PartitionId> Partitions(TopicAdmin admin, CancellationToken stop)
    {
        var counts = new[] { wanted.Topic, catalog.Source(wanted.LabelSource).Topic }.Select(t => (Topic: t, Count: CountOf(admin, t, stop)));
        return counts.SelectMany(t => Enumerable.Range(0, t.Count).Select(p => new PartitionId(t.Topic, p))).ToList();
    }

    // The topic of predictions is made by the first scorer.
    private int CountOf(TopicAdmin admin, string topic, CancellationToken stop)
    {
        while (true)
        {
            if (admin.PartitionCountAsync(topic, stop).GetAwaiter().GetResult() is { } count)
                return count;
            NoTopic(logger, topic);
            Task.Delay(RetryPause, time, stop).GetAwaiter().GetResult();
        }
    }

    private void Retry(Func<CancellationToken, ValueTask> action, CancellationToken stop)
    {
        while (true)
        {
            try
            {
                action(stop).AsTask().GetAwaiter().GetResult();
                return;
            }
            catch (HttpRequestException e)
            {
                NoRegistry(logger, e.Message);
                Task.Delay(RetryPause, time, stop).GetAwaiter().GetResult();
            }
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Topic {Topic} is not there yet; looking again")]
    private static partial void NoTopic(ILogger logger, string topic);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The schema registry does not answer ({Error}); trying again")]
    private static partial void NoRegistry(ILogger logger, string error);
}
