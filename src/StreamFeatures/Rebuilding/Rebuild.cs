using Microsoft.Extensions.Logging;
using StreamMl.Infrastructure.Archive;
using StreamMl.Infrastructure.Kafka;
using StreamMl.Shared.Definitions;
using StreamMl.Shared.Log;
using StreamMl.Shared.Store;
using StreamMl.StreamFeatures.Logs;
using StreamMl.StreamFeatures.Outgoing;
using StreamMl.StreamFeatures.Partitions;

namespace StreamMl.StreamFeatures.Rebuilding;

/// <summary>
/// Store state from an archive, handed over to the stream at an exact offset per partition. Uses the servers that the worker uses; writes to topics only
/// what no worker had sent.
/// </summary>
public sealed class Rebuild(Catalog catalog, string archiveDirectory, KafkaEndpoint kafka, IStateStore store, StreamFeaturesOptions options, TimeProvider time, ILoggerFactory loggers)
{
    private static readonly TimeSpan PollWait = TimeSpan.FromMilliseconds(100);

    /// <summary>
    /// Deletes what is made again. Called once, when archive and topics were found to meet: a rebuild that is refused leaves the store as it was. Default: nothing is
    /// deleted, and what the store has is gone on from.
    /// </summary>
    public Func<CancellationToken, Task> MakeRoomAsync { get; init; } = _ => Task.CompletedTask;

    /// <summary>Told of each partition when it is done. May be called from several threads.</summary>
    public Action<RebuiltPartition> Done { get; init; } = _ => { };

    /// <summary>Every view of the catalogue, with the positions, ledgers and routes of its logs. No worker may run.</summary>
    /// <param name="cancellationToken">Stops it; what was committed stays, and the next run goes on there.</param>
    /// <exception cref="HandOverException">An archive and its topic do not meet.</exception>
    /// <exception cref="InvalidDataException">The archive has a hole.</exception>
    /// <exception cref="TopicChangedException">A topic is not the one that the store's positions belong to.</exception>
    public Task<IReadOnlyList<RebuiltPartition>> AllAsync(CancellationToken cancellationToken) => PlansAsync(LogPlan.Of(catalog), cancellationToken);

    /// <summary>Some views; the logs' own positions and ledgers are left to their worker, which may run if its catalogue does not have these versions.</summary>
    /// <param name="views">Names; those of the catalogue.</param>
    /// <param name="cancellationToken">As for <see cref="AllAsync"/>.</param>
    /// <exception cref="HandOverException">An archive and its topic do not meet.</exception>
    /// <exception cref="InvalidDataException">The archive has a hole.</exception>
    /// <exception cref="TopicChangedException">A topic is not the one that the store's positions belong to.</exception>
    public async Task<IReadOnlyList<RebuiltPartition>> ViewsAsync(IReadOnlyCollection<string> views, CancellationToken cancellationToken)
    {
        var plans = LogPlan.Beside(catalog, v => views.Contains(v.View.Name));
        var done = await PlansAsync(plans, cancellationToken);
        await Notes.EndedAsync(plans, done.Any(p => p.TakenOver), cancellationToken);
        return done;
    }

    private BesideNotes Notes => new(store, new Retry(options, time, loggers.CreateLogger<Retry>()));

    internal async Task<IReadOnlyList<RebuiltPartition>> PlansAsync(IReadOnlyList<LogPlan> plans, CancellationToken cancellationToken)
    {
        if (plans.Count == 0)
            return [];
        using var admin = new TopicAdmin(kafka);
        var partitions = await LogTopics.MakeAsync(admin, plans, cancellationToken);
        var (guard, layout) = (new TopicGuard(admin, store), new ArchiveLayout(archiveDirectory));
        foreach (var plan in plans)
            await guard.CheckArchiveAsync(plan, layout, cancellationToken);
        await CheckTopicsAsync(guard, plans.Where(p => !p.OwnsLog), cancellationToken);
        await using var producer = new KafkaProducerFactory(kafka).Create(KafkaRecordSink.WithoutGaps);
        using var metrics = new StreamMetrics();
        return await new StoreRebuild(layout, store, new KafkaRecordSink(producer, partitions), metrics, options, time, loggers)
        {
            TopicOffsets = (p, token) => admin.OffsetsAsync(p, token),
            NoteDeliveredAsync = (target, from, marks, token) => NoteAsync(admin, target, from, marks, token),
            BeforeWritingAsync = async token =>
            {
                await MakeRoomAsync(token);
                await Notes.BuildingAsync([.. plans.Where(p => !p.OwnsLog)], token);
                // What was noted of a log's topic goes with its positions, so it is compared, or noted anew, when these are gone.
                await CheckTopicsAsync(guard, plans.Where(p => p.OwnsLog), token);
            },
            Done = Done,
        }.RunAsync(plans, cancellationToken);
    }

    private static async Task CheckTopicsAsync(TopicGuard guard, IEnumerable<LogPlan> plans, CancellationToken cancellationToken)
    {
        foreach (var plan in plans)
            await guard.CheckAsync(plan, [.. Enumerable.Range(0, plan.Source.Partitions).Select(p => new PartitionId(plan.Topic, p))], cancellationToken);
    }

    /// <summary>Reads the target from an offset to its present end and notes where its records came from.</summary>
    private async Task NoteAsync(TopicAdmin admin, PartitionId target, long from, DeliveredMarks marks, CancellationToken cancellationToken)
    {
        var (low, high) = await admin.OffsetsAsync(target, cancellationToken);
        var next = Math.Max(from, low);
        if (next >= high)
            return;
        using var source = new KafkaConsumerFactory(kafka).CreateSource();
        using var batch = new RawRecordBatch();
        source.Assign([new PartitionStart(target, next)]);
        while (next < high)
        {
            cancellationToken.ThrowIfCancellationRequested();
            source.TryReadBatch(batch, PollWait);
            for (var row = 0; row < batch.Count; row++)
            {
                var at = row;
                if (DeliveredMarks.TryReadOrigin(name => batch.TryGetHeader(at, name, out var value) ? value.ToArray() : null, out var partition, out var offset))
                    marks.Note(target, batch.Records[row].Offset, partition, offset);
                next = batch.Records[row].Offset + 1;
            }

            // Transactions end in markers, which are offsets without a record.
            if (batch.Ends.Count > 0)
                next = Math.Max(next, batch.Ends.Max(e => e.Offset));
        }
    }
}
