using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using StreamMl.Infrastructure.Archive;
using StreamMl.Infrastructure.Kafka;
using StreamMl.Infrastructure.Registry;
using StreamMl.Shared;
using StreamMl.Shared.Definitions;
using StreamMl.Shared.Store;
using StreamMl.StreamFeatures.Logs;
using StreamMl.StreamFeatures.Outgoing;

namespace StreamMl.StreamFeatures;

/// <summary>
/// The stream worker: makes the topics, joins the group, and keeps the views' states in the store up to date until it is stopped. Stopping drains:
/// what was applied is committed. A fault that trying again does not heal stops the host.
/// </summary>
internal sealed class FeatureWorker(
    Catalog catalog,
    KafkaEndpoint kafka,
    IStateStore store,
    SchemaRegistryClient registry,
    StreamMetrics metrics,
    IOptions<StreamFeaturesOptions> options,
    TimeProvider time,
    ILoggerFactory loggers) : BackgroundService
{
    private bool UsesTransactions => options.Value.Transactions switch
    {
        TransactionMode.On when kafka.IsEmbedded => throw new SetupException($"Features:Transactions is On and {kafka} has none: its readers would see what was aborted. Say Auto or Off: values are the same"),
        TransactionMode.Auto => !kafka.IsEmbedded,
        var mode => mode == TransactionMode.On,
    };

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var plans = LogPlan.Of(catalog);
        if (plans.Count == 0)
            return;
        using var admin = new TopicAdmin(kafka);
        var partitions = await LogTopics.MakeAsync(admin, plans, stoppingToken);
        await using var producer = UsesTransactions ? null : new KafkaProducerFactory(kafka).Create(KafkaRecordSink.WithoutGaps);
        using var transactions = UsesTransactions ? new KafkaOutboxes(kafka, options.Value.GroupId, partitions, loggers.CreateLogger<KafkaOutboxes>()) : null;
        using var source = new KafkaConsumerFactory(kafka).CreateSource(new RecordSourceOptions
        {
            GroupId = options.Value.GroupId,
            GroupInstanceId = options.Value.GroupInstanceId,
            UseConsumerProtocol = options.Value.UseConsumerProtocol,
        }, loggers.CreateLogger<KafkaConsumerFactory>());
        using var runner = new LogRunner(
            plans, source, store, transactions ?? (IOutboxes)new KafkaRecordSink(producer!, partitions), SchemaOf, metrics, options.Value, time, loggers)
        {
            Budget = kafka.Budget,
            Guard = new TopicGuard(admin, store, options.Value.ArchiveDirectory is { } archive ? new ArchiveLayout(archive) : null),
        };
        await runner.RunAsync(stoppingToken);
    }

    private ValueTask<string> SchemaOf(int id, CancellationToken cancellationToken) => registry.GetSchemaAsync(id, cancellationToken);
}
