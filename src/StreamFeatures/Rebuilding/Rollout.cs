using Microsoft.Extensions.Logging;
using StreamMl.Infrastructure.Kafka;
using StreamMl.Infrastructure.Registry;
using StreamMl.Shared.Definitions;
using StreamMl.Shared.Log;
using StreamMl.Shared.Store;
using StreamMl.StreamFeatures.Logs;
using StreamMl.StreamFeatures.Partitions;

namespace StreamMl.StreamFeatures.Rebuilding;

/// <summary>
/// Builds the views that one catalogue defines otherwise than the one that runs, beside it: first from the archive, then from the topics, and keeps them fresh until
/// workers with the new catalogue take them over. Versions have their own keys in the store, so nothing that runs is touched; readers find a version by their
/// own catalogue's hash, which is how each of them switches, all views of a service at once. One run at a time.
/// </summary>
public sealed class Rollout
{
    private static readonly TimeSpan LookAgain = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan JoinPatience = TimeSpan.FromSeconds(15);

    private readonly Catalog next;
    private readonly KafkaEndpoint kafka;
    private readonly IStateStore store;
    private readonly SchemaRegistryClient registry;
    private readonly StreamFeaturesOptions options;
    private readonly TimeProvider time;
    private readonly ILoggerFactory loggers;
    private readonly IReadOnlyList<LogPlan> plans;
    private readonly Retry retry;
    private readonly BesideNotes notes;

    /// <param name="next">The catalogue to come.</param>
    /// <param name="running">The catalogue of the workers that run.</param>
    /// <param name="kafka">Where the topics are.</param>
    /// <param name="store">Where states are.</param>
    /// <param name="registry">Where schemas are.</param>
    /// <param name="options">Bounds, as for a worker; its group gets the suffix <c>.rollout</c>.</param>
    /// <param name="time">The clock for waiting.</param>
    /// <param name="loggers">Take the messages.</param>
    /// <exception cref="HandOverException">A view reads a log that no worker of the running catalogue fills.</exception>
    public Rollout(
        Catalog next, Catalog running, KafkaEndpoint kafka, IStateStore store, SchemaRegistryClient registry, StreamFeaturesOptions options, TimeProvider time, ILoggerFactory loggers)
    {
        (this.next, this.kafka, this.store, this.registry, this.options, this.time, this.loggers) = (next, kafka, store, registry, options, time, loggers);
        retry = new Retry(options, time, loggers.CreateLogger<Retry>());
        notes = new BesideNotes(store, retry);
        var run = LogPlan.Of(running);
        var versions = run.SelectMany(p => p.Views).Select(v => (v.Log, v.View.Name, v.Hash8)).ToHashSet();
        plans = LogPlan.Beside(next, v => !versions.Contains((v.Log, v.View.Name, v.Hash8)));
        if (plans.FirstOrDefault(p => run.All(r => r.Topic != p.Topic)) is { } unfilled)
            throw new HandOverException($"view '{unfilled.Views[0].View.Name}' reads '{unfilled.Topic}', which no worker of the running catalogue fills: stop the workers and run `streamml rebuild --all` with the new catalogue, which fills it from the source's archive");
    }

    /// <summary>What the name of its consumer group has behind that of the workers.</summary>
    public const string GroupSuffix = ".rollout";

    /// <summary>What is built: name@hash8.</summary>
    public IReadOnlyList<string> Views => [.. plans.SelectMany(p => p.Views).Select(v => $"{v.View.Name}@{v.Hash8}")];

    /// <summary>The archive to begin with; null: the topics alone, which must have everything still.</summary>
    public string? ArchiveDirectory { get; init; }

    /// <summary>Told of each partition that was built from the archive. May be called from several threads.</summary>
    public Action<RebuiltPartition> Built { get; init; } = _ => { };

    /// <summary>Told once when the new versions stand where the running workers stand: from now on readers may switch.</summary>
    public Action CaughtUp { get; init; } = () => { };

    /// <param name="stay">Keep the versions fresh until workers take them over; false: end when caught up.</param>
    /// <param name="cancellationToken">Stops it; what was committed stays, and the next run goes on there.</param>
    /// <returns>True if workers took the versions over.</returns>
    /// <exception cref="HandOverException">The archive and the topic do not meet, or there is no archive and the topic has lost its beginning.</exception>
    /// <exception cref="Confluent.Kafka.KafkaException">The broker does not have the group protocol that the options ask for; nothing was written.</exception>
    public async Task<bool> RunAsync(bool stay, CancellationToken cancellationToken)
    {
        if (plans.Count == 0)
            return false;
        // It is joined after hours of building: what is wrong with it is said before.
        if (options.UseConsumerProtocol && !kafka.IsEmbedded)
            await GroupProbe.RequireAsync(kafka, Group, [.. plans.Select(p => p.Topic)], JoinPatience, time, cancellationToken);
        await notes.BuildingAsync(plans, cancellationToken);
        var taken = await BuildAsync(stay, cancellationToken);
        await notes.EndedAsync(plans, taken, cancellationToken);
        return taken;
    }

    private RecordSourceOptions Group => new() { GroupId = $"{options.GroupId}{GroupSuffix}", UseConsumerProtocol = options.UseConsumerProtocol };

    private async Task<bool> BuildAsync(bool stay, CancellationToken cancellationToken)
    {
        using var admin = new TopicAdmin(kafka);
        if (ArchiveDirectory is { } archive)
        {
            var done = await new Rebuild(next, archive, kafka, store, options, time, loggers) { Done = Built }.PlansAsync(plans, cancellationToken);
            if (done.Any(p => p.TakenOver))
                return true;
        }

        var targets = await LookAsync(admin, cancellationToken);
        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var following = FollowAsync(admin, stopping.Token);
        try
        {
            var waiting = WaitAsync(targets, stopping.Token);
            if (await Task.WhenAny(waiting, following) == waiting)
            {
                await waiting;
                CaughtUp();
                if (stay)
                    await following;
            }

            await stopping.CancelAsync();
            await StoppedAsync(following, cancellationToken);
            return false;
        }
        catch (TakenOverException)
        {
            await stopping.CancelAsync();
            return true;
        }
    }

    // Where there was nothing to wait for, it is stopped while it still claims its first partitions: that is no failure.
    private static async Task StoppedAsync(Task following, CancellationToken cancellationToken)
    {
        try
        {
            await following;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
        }
    }

    private async Task FollowAsync(TopicAdmin admin, CancellationToken cancellationToken)
    {
        using var metrics = new StreamMetrics();
        using var source = new KafkaConsumerFactory(kafka).CreateSource(Group);
        using var runner = new LogRunner(plans, source, store, NoSink.Instance, (id, token) => registry.GetSchemaAsync(id, token), metrics, options, time, loggers) { Guard = new TopicGuard(admin, store) };
        await runner.RunAsync(cancellationToken);
    }

    // Before anything is claimed: a version that would begin late is not begun.
    private async Task<IReadOnlyDictionary<PartitionId, long>> LookAsync(TopicAdmin admin, CancellationToken cancellationToken)
    {
        var targets = new Dictionary<PartitionId, long>();
        foreach (var partition in Partitions())
        {
            var (low, high) = await retry.RunAsync(token => admin.OffsetsAsync(partition.Id, token), cancellationToken);
            targets[partition.Id] = high;
            if (low > 0 && ArchiveDirectory is null)
                throw new HandOverException($"{partition.Id} starts at offset {low}: a view that is built from it would not know the {low} offsets before. Name the archive with --archive");
        }

        return targets;
    }

    private async Task WaitAsync(IReadOnlyDictionary<PartitionId, long> targets, CancellationToken cancellationToken)
    {
        while (true)
        {
            var behind = false;
            foreach (var (plan, id) in Partitions())
                behind |= await IsBehindAsync(plan, id, targets[id], cancellationToken);
            if (!behind)
                return;
            await Task.Delay(LookAgain, time, cancellationToken);
        }
    }

    // Where a worker runs, its position counts: it is what readers of the old version see. The topic's end counts where none does.
    private async Task<bool> IsBehindAsync(LogPlan plan, PartitionId partition, long end, CancellationToken cancellationToken)
    {
        using var values = await retry.RunAsync(token => store.ReadAsync([LogNames.SourcePositionKey(partition), .. plan.PositionKeys(partition)], token), cancellationToken);
        var target = values.Has(0) ? PositionRecord.Decode(values[0]).NextOffset : end;
        return Enumerable.Range(1, values.Count - 1).Any(i => target > 0 && (!values.Has(i) || PositionRecord.Decode(values[i]).NextOffset < target));
    }

    private IEnumerable<(LogPlan Plan, PartitionId Id)> Partitions() =>
        plans.SelectMany(plan => Enumerable.Range(0, plan.Source.Partitions).Select(p => (plan, new PartitionId(plan.Topic, p))));
}
