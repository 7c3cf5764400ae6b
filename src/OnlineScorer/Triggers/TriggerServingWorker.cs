using StreamMl.Infrastructure.Kafka;
using StreamMl.OnlineScorer.Reading;
using StreamMl.Shared.Definitions;

namespace StreamMl.OnlineScorer.Triggers;

/// <summary>Runs a <see cref="TriggerServer"/> per service; the first that fails stops the host.</summary>
internal sealed class TriggerServingWorker(
    Catalog catalog, TriggerServices services, TriggerServingOptions options, KafkaEndpoint kafka, KafkaConsumerFactory consumers, IEnumerable<ITriggerSinkFactory> sinkFactories)
    : BackgroundService
{
    protected override Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var names = options.Services.Count > 0 ? options.Services : [.. catalog.Services.Where(s => s.Trigger is not null).Select(s => s.Name)];
        var plans = names.Select(Plan).ToList(); // all of them, before anything runs
        return Task.WhenAll(plans.Select(p => Task.Factory.StartNew(() => Serve(p, stoppingToken), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default)));
    }

    private TriggerPlan Plan(string name)
    {
        var fields = catalog.Service(name).Trigger is { } trigger ? sinkFactories.SelectMany(f => f.TriggerFields(catalog.Source(trigger))) : [];
        return TriggerPlan.Compile(catalog, name, fields.ToHashSet(StringComparer.Ordinal));
    }

    private void Serve(TriggerPlan plan, CancellationToken stoppingToken)
    {
        var sinks = Sinks(plan.Service);
        var source = consumers.CreateSource(new RecordSourceOptions { GroupId = plan.GroupId, UseConsumerProtocol = kafka.IsEmbedded, ReadHeaders = false });
        using var server = new TriggerServer(plan, services, options, source, sinks);
        try
        {
            server.Run(stoppingToken);
        }
        finally
        {
            foreach (var sink in sinks)
                sink.DisposeAsync().AsTask().GetAwaiter().GetResult();
        }
    }

    private List<ITriggerSink> Sinks(ServedService service)
    {
        var sinks = new List<ITriggerSink>();
        if (options.Directory is { } directory)
            sinks.Add(new ServedVectorSink(service, directory, options.WriterName));
        sinks.AddRange(sinkFactories.Select(f => f.Create(service)).OfType<ITriggerSink>());
        return sinks;
    }
}
