using Microsoft.Extensions.Logging;
using StreamMl.Infrastructure.Archive;
using StreamMl.Infrastructure.Avro;
using StreamMl.Infrastructure.Registry;
using StreamMl.Shared.Log;
using StreamMl.Shared.Store;
using StreamMl.StreamFeatures.Logs;
using StreamMl.StreamFeatures.Outgoing;
using StreamMl.StreamFeatures.Partitions;

namespace StreamMl.StreamFeatures.Rebuilding;

/// <summary>
/// Makes store state from the archive, up to the offset from which the stream worker then goes on: no gap, no double count. Whatever the store has
/// already of the views is gone on from, so delete it first where it is wrong. One run at a time.
/// </summary>
internal sealed class StoreRebuild(
    ArchiveLayout layout, IStateStore store, IRecordSink sink, StreamMetrics metrics, StreamFeaturesOptions options, TimeProvider time, ILoggerFactory loggers)
{
    private const int NoSuchSchema = 40403;

    /// <summary>Partitions at a time; each holds a share of the memory budget.</summary>
    private static readonly int Parallelism = Math.Clamp(Environment.ProcessorCount, 1, 8);

    /// <summary>The topic's first offset and the one past its last.</summary>
    public required Func<PartitionId, CancellationToken, Task<(long Low, long High)>> TopicOffsets { get; init; }

    /// <summary>What the source topics' records were sent on as, beyond what the archive knows: called once per repartition and dead-letter partition.</summary>
    public required Func<PartitionId, long, DeliveredMarks, CancellationToken, Task> NoteDeliveredAsync { get; init; }

    /// <summary>Called once, when archives and topics were found to meet, and before anything is written.</summary>
    public Func<CancellationToken, Task> BeforeWritingAsync { get; init; } = _ => Task.CompletedTask;

    /// <summary>Told of each partition when it is done. May be called from several threads.</summary>
    public Action<RebuiltPartition> Done { get; init; } = _ => { };

    /// <param name="plans">The logs: <see cref="LogPlan.Of"/> for everything, <see cref="LogPlan.Beside"/> for some views.</param>
    /// <param name="cancellationToken">Stops between two slices; what was committed stays.</param>
    /// <exception cref="HandOverException">An archive and its topic do not meet.</exception>
    /// <exception cref="InvalidDataException">The archive has a hole.</exception>
    public async Task<IReadOnlyList<RebuiltPartition>> RunAsync(IReadOnlyList<LogPlan> plans, CancellationToken cancellationToken)
    {
        // Everything is looked at before anything is written.
        var partitions = new List<(LogPlan Plan, PartitionId Partition, ArchivePartitionReader Reader)>();
        foreach (var plan in plans)
            partitions.AddRange(await CheckAsync(plan, cancellationToken));
        var resumed = new ResumedSink(sink, await DeliveredAsync(plans, cancellationToken));
        await BeforeWritingAsync(cancellationToken);
        var decoders = plans.ToDictionary(p => p.Topic, p => new EventDecoderSet(p.Source, p.BatchSchema, SchemaOf), StringComparer.Ordinal);
        var share = options.ResidentMaxBytes / Math.Max(1, Parallelism * plans.Max(p => p.Views.Count));
        var results = new RebuiltPartition[partitions.Count];
        try
        {
            await Parallel.ForEachAsync(Enumerable.Range(0, partitions.Count), new ParallelOptions { MaxDegreeOfParallelism = Parallelism, CancellationToken = cancellationToken }, async (i, token) =>
            {
                var (plan, partition, reader) = partitions[i];
                var context = new PartitionContext(plan, partition, decoders[plan.Topic], store, resumed, new Retry(options, time, loggers.CreateLogger<Retry>()), metrics, options, time) { ResidentShare = () => share, Logger = loggers.CreateLogger<StoreRebuild>() };
                results[i] = await PartitionRebuild.RunAsync(context, new ArchiveReplay(reader, partition), token);
                Done(results[i]);
            });
        }
        finally
        {
            foreach (var set in decoders.Values)
                set.Dispose();
        }

        return results;
    }

    private async Task<IReadOnlyList<(LogPlan Plan, PartitionId Partition, ArchivePartitionReader Reader)>> CheckAsync(LogPlan plan, CancellationToken cancellationToken)
    {
        if (!layout.HasLog(plan.Topic) && plan is { OwnsLog: true, IsRepartitioned: true } && await IsEmptyAsync(plan, cancellationToken))
            return []; // A new repartition topic: the replay of its source fills it.
        if (!layout.HasLog(plan.Topic))
            throw new HandOverException($"log '{plan.Topic}' is not in the archive {layout.Directory}: run the archiver over it (`streamml archive`), or start the views from the topic (`streamml reset`, then the worker)");
        if (layout.Partitions(plan.Topic) is { } archived && archived != plan.Source.Partitions)
            throw new HandOverException($"the archive of '{plan.Topic}' has {archived} partitions and the catalogue says {plan.Source.Partitions}: entities live elsewhere. Replay the records into a new topic with {plan.Source.Partitions} partitions");
        var found = new List<(LogPlan, PartitionId, ArchivePartitionReader)>();
        foreach (var partition in Enumerable.Range(0, plan.Source.Partitions).Select(p => new PartitionId(plan.Topic, p)))
        {
            var reader = new ArchivePartitionReader(layout, partition);
            reader.RequireNoLoss();
            var (low, high) = await TopicOffsets(partition, cancellationToken);
            HandOver.Check(partition, reader.FirstOffset, reader.EndOffset, low, high);
            found.Add((plan, partition, reader));
        }

        return found;
    }

    private async Task<bool> IsEmptyAsync(LogPlan plan, CancellationToken cancellationToken)
    {
        for (var p = 0; p < plan.Source.Partitions; p++)
        {
            if ((await TopicOffsets(new PartitionId(plan.Topic, p), cancellationToken)).High > 0)
                return false;
        }

        return true;
    }

    private async Task<DeliveredMarks> DeliveredAsync(IReadOnlyList<LogPlan> plans, CancellationToken cancellationToken)
    {
        var marks = new DeliveredMarks();
        foreach (var plan in plans.Where(p => p.OwnsLog))
        {
            foreach (var route in plan.Routes)
            {
                for (var p = 0; p < sink.PartitionCount(route.Topic); p++)
                    await NoteDeliveredAsync(new PartitionId(route.Topic, p), NoteArchived(new PartitionId(route.Topic, p), marks), marks, cancellationToken);
            }

            var deadLetters = LogNames.DeadLetterTopic(plan.Topic);
            for (var p = 0; p < sink.PartitionCount(deadLetters); p++)
                await NoteDeliveredAsync(new PartitionId(deadLetters, p), 0, marks, cancellationToken);
        }

        return marks;
    }

    private long NoteArchived(PartitionId target, DeliveredMarks marks)
    {
        var reader = new ArchivePartitionReader(layout, target);
        foreach (var chunk in reader.Read())
        {
            using (chunk)
            {
                for (var i = 0; i < chunk.Count; i++)
                {
                    if (chunk.SourcePartition(i) >= 0)
                        marks.Note(target, chunk.Offsets[i], chunk.SourcePartition(i), chunk.SourceOffset(i));
                }
            }
        }

        return reader.EndOffset;
    }

    private ValueTask<string> SchemaOf(int id, CancellationToken cancellationToken) => layout.IsUnknownSchema(id)
        ? throw new RegistryException(NoSuchSchema, $"the registry had no schema with id {id} when it was archived")
        : ValueTask.FromResult(layout.LoadSchema(id));
}
