using StreamMl.Infrastructure.Kafka;
using StreamMl.OnlineScorer.Catalogs;
using StreamMl.OnlineScorer.Reading;
using StreamMl.Shared.Definitions;

namespace StreamMl.OnlineScorer.Triggers;

/// <summary>
/// Runs a <see cref="TriggerServer"/> per service; the first that fails stops the host. Where a catalogue changes, servers of changed services drain and others begin where they ended.
/// </summary>
internal sealed class TriggerServingWorker(
    ServedCatalog served, TriggerServices services, TriggerServingOptions options, KafkaEndpoint kafka, KafkaConsumerFactory consumers, IEnumerable<ITriggerSinkFactory> sinkFactories)
    : BackgroundService, ICatalogUser
{
    private readonly Lock gate = new();
    private readonly List<Running> running = [];
    private readonly TaskCompletionSource started = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource failed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private IReadOnlyList<TriggerPlan> plans = [];
    private CancellationToken stopping;

    public async Task<ICatalogChange> PrepareAsync(Catalog next, CancellationToken cancellationToken)
    {
        await started.Task.WaitAsync(cancellationToken);
        // A plan that is the same keeps its server.
        return new Change(this, [.. Plans(next).Select(plan => plans.FirstOrDefault(plan.IsSame) ?? plan)]);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var all = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken);
        stopping = all.Token;
        plans = Plans(served.Current); // all of them, before anything runs
        StartMissing();
        started.SetResult();
        await Task.WhenAny(failed.Task, Task.Delay(Timeout.InfiniteTimeSpan, services.Time, stoppingToken));
        await all.CancelAsync();
        await Task.WhenAll(Tasks());
    }

    private List<Task> Tasks()
    {
        lock (gate)
            return [.. running.Select(r => r.Serving)];
    }

    private IReadOnlyList<TriggerPlan> Plans(Catalog catalog)
    {
        var names = options.Services.Count > 0 ? options.Services : [.. catalog.Services.Where(s => s.Trigger is not null).Select(s => s.Name)];
        return [.. names.Select(n => Plan(catalog, n))];
    }

    private TriggerPlan Plan(Catalog catalog, string name)
    {
        var fields = catalog.Service(name).Trigger is { } trigger ? sinkFactories.SelectMany(f => f.TriggerFields(catalog.Source(trigger))) : [];
        return TriggerPlan.Compile(catalog, name, fields.ToHashSet(StringComparer.Ordinal));
    }

    private void StartMissing()
    {
        lock (gate)
        {
            if (stopping.IsCancellationRequested)
                return;
            foreach (var plan in plans.Where(p => running.TrueForAll(r => r.Plan != p)))
            {
                var stop = CancellationTokenSource.CreateLinkedTokenSource(stopping);
                var serving = Task.Factory.StartNew(() => Serve(plan, stop.Token), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
                _ = serving.ContinueWith(_ => failed.TrySetResult(), CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);
                running.Add(new Running(plan, stop, serving));
            }
        }
    }

    /// <summary>Drains the servers of all other plans.</summary>
    private async Task EndOthersAsync(IReadOnlyList<TriggerPlan> kept)
    {
        List<Running> ending;
        lock (gate)
            ending = running.FindAll(r => !kept.Contains(r.Plan));
        foreach (var server in ending)
            await server.Stop.CancelAsync();
        foreach (var server in ending)
        {
            await server.Serving;
            server.Stop.Dispose();
            lock (gate)
                running.Remove(server);
        }
    }

    private void Serve(TriggerPlan plan, CancellationToken stoppingToken)
    {
        var sinks = Sinks(plan.Service);
        var source = consumers.CreateSource(new RecordSourceOptions
        {
            GroupId = plan.GroupId,
            GroupInstanceId = options.GroupInstanceId,
            UseConsumerProtocol = kafka.IsEmbedded,
            ReadHeaders = false,
        }, services.Logger);
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

    private sealed record Running(TriggerPlan Plan, CancellationTokenSource Stop, Task Serving);

    private sealed class Change(TriggerServingWorker worker, IReadOnlyList<TriggerPlan> next) : ICatalogChange
    {
        public Task HoldAsync() => worker.EndOthersAsync(next);

        public void Make() => worker.plans = next;

        public void Dispose() => worker.StartMissing();
    }
}
