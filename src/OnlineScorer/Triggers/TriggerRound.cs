using System.Diagnostics.Metrics;
using StreamMl.FeatureEngine.Log;
using StreamMl.Infrastructure.Avro;
using StreamMl.Infrastructure.Kafka;
using StreamMl.Shared.Log;
using StreamMl.Shared.Time;

namespace StreamMl.OnlineScorer.Triggers;

/// <summary>How far a round goes on one partition: all of it before the position.</summary>
internal readonly record struct RoundEnd(TriggerPartition Partition, PositionRecord Position);

/// <summary>
/// One micro-batch on its way: its records are decoded by the server's thread, then its features are read by whatever threads the store's answers come on, while the server
/// goes on with other rounds. Reused. It has one owner at a time: the server's thread, but for the time from <see cref="Start"/> until <see cref="Reading"/> is complete.
/// </summary>
internal sealed class TriggerRound : IDisposable
{
    private readonly TriggerPlan plan;
    private readonly TriggerServices services;
    private readonly TriggerServingOptions options;
    private readonly EventDecoderSet decoders;
    private readonly StorePatience patience;
    private readonly PrefixGate gate;
    private readonly KeyValuePair<string, object?> tag;
    private readonly List<RoundEnd> ends = [];
    private readonly Dictionary<PartitionId, long> nextOffsets = [];

    public TriggerRound(TriggerPlan plan, TriggerServices services, TriggerServingOptions options, EventDecoderSet decoders, StorePatience patience)
    {
        (this.plan, this.services, this.options, this.decoders, this.patience) = (plan, services, options, decoders, patience);
        gate = new PrefixGate(plan.Service, services.Store, options, services.Time);
        Records = new RawRecordBatch(options.MaxBatch);
        Batch = new ServedBatch(plan.Service, plan.Schema) { Records = Records };
        tag = new("service", plan.Name);
    }

    /// <summary>What was read from the topic.</summary>
    public RawRecordBatch Records { get; }

    public ServedBatch Batch { get; }

    /// <summary>Where each partition stands once the round is with the sinks, whatever became of its records; empty: nothing in it was new.</summary>
    public IReadOnlyList<RoundEnd> Ends => ends;

    /// <summary>Complete when the features are there. It fails as the store does where waiting is of no use.</summary>
    public Task Reading { get; private set; } = Task.CompletedTask;

    /// <summary>Decodes the records that are new to their owners, and begins to read their features.</summary>
    /// <param name="owned">The partitions that are served.</param>
    /// <param name="cancellationToken">Ends waiting, for schemas here and for the store later.</param>
    public void Start(IReadOnlyDictionary<PartitionId, TriggerPartition> owned, CancellationToken cancellationToken)
    {
        Batch.Clear();
        ends.Clear();
        nextOffsets.Clear();
        foreach (var run in Records.Runs)
        {
            if (owned.TryGetValue(run.Partition, out var partition))
                Decode(partition, run, cancellationToken);
        }

        foreach (var partition in nextOffsets.Keys)
            ends.Add(new RoundEnd(owned[partition], owned[partition].Position()));
        Reading = Batch.Count > 0 ? ReadAsync(cancellationToken) : Task.CompletedTask;
    }

    public void Dispose() => Records.Dispose();

    private void Decode(TriggerPartition partition, RecordRun run, CancellationToken cancellationToken)
    {
        for (var i = run.First; i < run.First + run.Count; i++)
        {
            if (Records.Records[i].Offset < partition.NextOffset)
                continue;
            while (TryDecode(partition, i) is { } schemaId)
                patience.CallAsync(async token => { await decoders.PrepareAsync(schemaId, token); return true; }, cancellationToken).GetAwaiter().GetResult();
            partition.NextOffset = Records.Records[i].Offset + 1;
            nextOffsets[run.Partition] = partition.NextOffset;
        }
    }

    /// <summary>The id of a schema that must be fetched first, or null: the record was admitted or refused.</summary>
    private int? TryDecode(TriggerPartition partition, int record)
    {
        var (offset, arrivalUs) = (Records.Records[record].Offset, Records.Records[record].TimestampUs);
        var events = Batch.Events;
        var row = events.NextRow();
        var status = decoders.Decode(Records.Value(record), events, row, out var eventTimeUs, out var schemaId, out var error);
        if (status == DecodeStatus.SchemaMissing)
            return schemaId;
        if (status == DecodeStatus.Decoded && partition.Gate.Admit(offset, arrivalUs, eventTimeUs, -1, 0, out error) == Disposition.Accepted)
        {
            events.Offsets[row] = offset;
            events.ArrivalTimesUs[row] = partition.Gate.ArrivalClockUs;
            events.WatermarksUs[row] = partition.Gate.WatermarkBeforeUs;
            events.Count++;
            plan.SetKeys(Batch, Batch.Add(new TriggerEvent(partition.Partition, offset, eventTimeUs, arrivalUs, row, record)), row);
            return null;
        }

        // The stream worker that reads the same topic dead-letters it; here it only cannot be served.
        if (status != DecodeStatus.Decoded)
            partition.Gate.AdmitUndecodable(offset, arrivalUs);
        ServingMetrics.Undecodable.Add(1, tag);
        services.Logger.CannotServe(plan.Name, partition.Partition, offset, error ?? "");
        return null;
    }

    private async Task ReadAsync(CancellationToken cancellationToken)
    {
        var started = services.Time.GetTimestamp();
        Batch.IsCaughtUp = await WaitAsync(cancellationToken);
        started = Record(ServingMetrics.Wait, started);
        await patience.CallAsync(async token => { await services.Reader.ReadAsync(Batch.Read, token); return true; }, cancellationToken);
        Record(ServingMetrics.Read, started);
    }

    private async Task<bool> WaitAsync(CancellationToken cancellationToken)
    {
        if (IsOld())
        {
            var partitions = gate.SourcePartitions;
            var now = await services.Ends.EndsAsync(partitions, cancellationToken);
            for (var i = 0; i < partitions.Count; i++)
                nextOffsets[partitions[i]] = Math.Max(now[i], nextOffsets.GetValueOrDefault(partitions[i]));
        }

        var lagging = await patience.CallAsync(token => gate.WaitAsync(nextOffsets, token), cancellationToken);
        if (lagging.Count == 0)
            return true;
        ServingMetrics.GaveUp.Add(1, tag);
        services.Logger.GaveUp(plan.Name, options.MaxWaitMs, Batch.Count, lagging.Count, lagging[0]);
        return false;
    }

    private bool IsOld()
    {
        if (options.AlignOlderThanMs is 0 or int.MaxValue)
            return options.AlignOlderThanMs == 0;
        var ageUs = TimeGrid.FromDateTime(services.Time.GetUtcNow().UtcDateTime) - Batch.Triggers.Max(t => t.ArrivalTimeUs);
        return ageUs > options.AlignOlderThanMs * 1_000L;
    }

    /// <summary>Notes the time since then; returns now.</summary>
    private long Record(Histogram<double> histogram, long started)
    {
        var now = services.Time.GetTimestamp();
        histogram.Record(services.Time.GetElapsedTime(started, now).TotalMilliseconds, tag);
        return now;
    }
}
