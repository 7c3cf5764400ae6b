using System.Diagnostics.Metrics;
using StreamMl.FeatureEngine.Log;
using StreamMl.Infrastructure.Avro;
using StreamMl.Infrastructure.Kafka;
using StreamMl.OnlineScorer.Reading;
using StreamMl.Shared.Log;
using StreamMl.Shared.Store;
using StreamMl.Shared.Time;

namespace StreamMl.OnlineScorer.Triggers;

/// <summary>
/// Serves one service's trigger topic: reads a micro-batch of events, waits for the views, reads the features as of each event, hands them to the sinks,
/// notes the position. One thread does it all (<see cref="Run"/>); the record source is touched by it alone.
/// </summary>
internal sealed class TriggerServer : IAssignmentHandler, IDisposable
{
    private static readonly TimeSpan PollWait = TimeSpan.FromMilliseconds(20);

    private readonly TriggerPlan plan;
    private readonly TriggerServices services;
    private readonly TriggerServingOptions options;
    private readonly IRecordSource source;
    private readonly IReadOnlyList<ITriggerSink> sinks;
    private readonly EventDecoderSet decoders;
    private readonly PrefixGate gate;
    private readonly ServedBatch batch;
    private readonly RawRecordBatch records;
    private readonly ILogger logger;
    private readonly Dictionary<PartitionId, TriggerPartition> owned = [];
    private readonly List<int> forSink = [];
    private readonly KeyValuePair<string, object?> tag;
    private readonly CancellationTokenSource afterDrain = new();
    private CancellationToken stopping;
    private BudgetReader? budget;
    private long flushedAt;
    private bool hasUnflushed;

    public TriggerServer(TriggerPlan plan, TriggerServices services, TriggerServingOptions options, IRecordSource source, IReadOnlyList<ITriggerSink> sinks)
    {
        (this.plan, this.services, this.options, this.source, this.sinks) = (plan, services, options, source, sinks);
        logger = services.Logger;
        decoders = new EventDecoderSet(plan.Source, plan.Schema, services.SchemaOf);
        gate = new PrefixGate(plan.Service, services.Store, options, services.Time);
        records = new RawRecordBatch(options.MaxBatch);
        batch = new ServedBatch(plan.Service, plan.Schema) { Records = records };
        tag = new("service", plan.Name);
    }

    /// <summary>Serves until cancelled, then makes durable what was served. Blocks its thread.</summary>
    public void Run(CancellationToken cancellationToken)
    {
        stopping = cancellationToken;
        using var registration = cancellationToken.Register(() => afterDrain.CancelAfter(options.DrainMs));
        budget = services.Budget?.AddReader(plan.Source.Topic, plan.GroupId);
        flushedAt = services.Time.GetTimestamp();
        try
        {
            source.Subscribe([plan.Source.Topic], this);
            while (!cancellationToken.IsCancellationRequested)
            {
                if (source.TryReadBatch(records, PollWait))
                    ServeAsync(cancellationToken).GetAwaiter().GetResult();
                if (hasUnflushed && services.Time.GetElapsedTime(flushedAt).TotalMilliseconds >= options.FlushMs)
                    FlushAsync(owned.Values, cancellationToken).GetAwaiter().GetResult();
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The batch that was cut short was neither handed to a sink nor noted: it is served after the restart.
        }
        finally
        {
            Drain();
            source.Dispose(); // hands the partitions back
            budget?.Dispose();
        }
    }

    public IReadOnlyList<PartitionStart> Assigned(IReadOnlyList<PartitionId> partitions)
    {
        // Asked before the claims, so that whoever sees a claim knows that what it sends from then on is served.
        var fresh = options.StartAtEnd
            ? RetryAsync(token => services.Ends.EndsAsync(partitions, token), stopping).GetAwaiter().GetResult()
            : [.. partitions.Select(_ => 0L)];
        var starts = new List<PartitionStart>();
        foreach (var (partition, end) in partitions.Zip(fresh))
        {
            var claimed = RetryAsync(token => TriggerPartition.ClaimAsync(plan, partition, sinks, services.Store, end, token), stopping).GetAwaiter().GetResult();
            owned[partition] = claimed;
            logger.Claimed(plan.Name, partition, claimed.NextOffset);
            starts.Add(new PartitionStart(partition, claimed.NextOffset > 0 ? claimed.NextOffset : PartitionStart.Beginning));
        }

        return starts;
    }

    public void Revoked(IReadOnlyList<PartitionId> partitions)
    {
        var leaving = partitions.Where(owned.ContainsKey).Select(p => owned[p]).ToList();
        if (leaving.Count > 0 && !stopping.IsCancellationRequested)
            FlushAsync([.. owned.Values], stopping).GetAwaiter().GetResult(); // all: a flush makes all of them durable
        Lost(partitions);
    }

    public void Lost(IReadOnlyList<PartitionId> partitions)
    {
        foreach (var partition in partitions)
            owned.Remove(partition);
    }

    public void Dispose()
    {
        decoders.Dispose();
        afterDrain.Dispose();
        records.Dispose();
    }

    private async Task ServeAsync(CancellationToken cancellationToken)
    {
        batch.Clear();
        var ends = await DecodeAsync(cancellationToken);
        if (ends.Count == 0)
            return;
        if (batch.Count > 0)
        {
            var started = services.Time.GetTimestamp();
            batch.IsCaughtUp = await WaitAsync(ends, cancellationToken);
            started = Record(ServingMetrics.Wait, started);
            await RetryAsync(async token => { await services.Reader.ReadAsync(batch.Read, token); return true; }, cancellationToken);
            started = Record(ServingMetrics.Read, started);
            await WriteAsync();
            Record(ServingMetrics.Write, started);
            ServingMetrics.Served.Add(batch.Count, tag);
        }

        foreach (var partition in ends.Keys)
            owned[partition].MarkServed();
        await CommitAsync([.. ends.Keys.Where(owned.ContainsKey).Select(p => owned[p])], sinksAreDurable: sinks.Count == 0, cancellationToken);
        hasUnflushed = true;
    }

    /// <summary>Decodes the records that are new; returns by partition one past the last of them, whatever became of them.</summary>
    private async Task<Dictionary<PartitionId, long>> DecodeAsync(CancellationToken cancellationToken)
    {
        var ends = new Dictionary<PartitionId, long>();
        foreach (var run in records.Runs)
        {
            if (!owned.TryGetValue(run.Partition, out var partition))
                continue;
            for (var i = run.First; i < run.First + run.Count; i++)
            {
                if (records.Records[i].Offset < partition.NextOffset)
                    continue;
                await DecodeAsync(partition, i, cancellationToken);
                partition.NextOffset = records.Records[i].Offset + 1;
                ends[run.Partition] = partition.NextOffset;
            }
        }

        return ends;
    }

    private async Task DecodeAsync(TriggerPartition partition, int record, CancellationToken cancellationToken)
    {
        while (TryDecode(partition, record) is { } schemaId)
            await RetryAsync(async token => { await decoders.PrepareAsync(schemaId, token); return true; }, cancellationToken);
    }

    /// <summary>The id of a schema that must be fetched first, or null: the record was admitted or refused.</summary>
    private int? TryDecode(TriggerPartition partition, int record)
    {
        var (offset, arrivalUs) = (records.Records[record].Offset, records.Records[record].TimestampUs);
        var row = batch.Events.NextRow();
        var status = decoders.Decode(records.Value(record), batch.Events, row, out var eventTimeUs, out var schemaId, out var error);
        if (status == DecodeStatus.SchemaMissing)
            return schemaId;
        if (status == DecodeStatus.Decoded && partition.Gate.Admit(offset, arrivalUs, eventTimeUs, -1, 0, out error) == Disposition.Accepted)
        {
            batch.Events.Offsets[row] = offset;
            batch.Events.ArrivalTimesUs[row] = partition.Gate.ArrivalClockUs;
            batch.Events.WatermarksUs[row] = partition.Gate.WatermarkBeforeUs;
            batch.Events.Count++;
            plan.SetKeys(batch, batch.Add(new TriggerEvent(partition.Partition, offset, eventTimeUs, arrivalUs, row, record)), row);
            return null;
        }

        // The stream worker that reads the same topic dead-letters it; here it only cannot be served.
        if (status != DecodeStatus.Decoded)
            partition.Gate.AdmitUndecodable(offset, arrivalUs);
        ServingMetrics.Undecodable.Add(1, tag);
        logger.CannotServe(plan.Name, partition.Partition, offset, error ?? "");
        return null;
    }

    private async Task<bool> WaitAsync(Dictionary<PartitionId, long> ends, CancellationToken cancellationToken)
    {
        var wanted = ends;
        if (IsOld())
        {
            var partitions = gate.SourcePartitions;
            var now = await services.Ends.EndsAsync(partitions, cancellationToken);
            wanted = new Dictionary<PartitionId, long>(ends);
            for (var i = 0; i < partitions.Count; i++)
                wanted[partitions[i]] = Math.Max(now[i], wanted.GetValueOrDefault(partitions[i]));
        }

        var lagging = await RetryAsync(token => gate.WaitAsync(wanted, token), cancellationToken);
        if (lagging.Count == 0)
            return true;
        ServingMetrics.GaveUp.Add(1, tag);
        logger.GaveUp(plan.Name, options.MaxWaitMs, batch.Count, lagging.Count, lagging[0]);
        return false;
    }

    /// <summary>Notes the time since then; returns now.</summary>
    private long Record(Histogram<double> histogram, long started)
    {
        var now = services.Time.GetTimestamp();
        histogram.Record(services.Time.GetElapsedTime(started, now).TotalMilliseconds, tag);
        return now;
    }

    private bool IsOld()
    {
        if (options.AlignOlderThanMs is 0 or int.MaxValue)
            return options.AlignOlderThanMs == 0;
        var ageUs = TimeGrid.FromDateTime(services.Time.GetUtcNow().UtcDateTime) - batch.Triggers.Max(t => t.ArrivalTimeUs);
        return ageUs > options.AlignOlderThanMs * 1_000L;
    }

    // A stop does not cut a write short: what half of the sinks have would come to them twice.
    private async Task WriteAsync()
    {
        for (var sink = 0; sink < sinks.Count; sink++)
        {
            forSink.Clear();
            for (var i = 0; i < batch.Count; i++)
            {
                if (batch.Triggers[i].Offset >= owned[batch.Triggers[i].Partition].SinkNext(sink))
                    forSink.Add(i);
            }

            if (forSink.Count > 0)
                await sinks[sink].WriteAsync(batch, forSink, afterDrain.Token);
        }
    }

    private async Task FlushAsync(IReadOnlyCollection<TriggerPartition> partitions, CancellationToken cancellationToken)
    {
        foreach (var sink in sinks)
            await sink.FlushAsync(cancellationToken);
        await CommitAsync([.. partitions], sinksAreDurable: true, cancellationToken);
        source.CommitForLag([.. owned.Values.Select(p => new PartitionStart(p.Partition, p.NextOffset))]);
        flushedAt = services.Time.GetTimestamp();
        hasUnflushed = false;
    }

    private async Task CommitAsync(IReadOnlyList<TriggerPartition> partitions, bool sinksAreDurable, CancellationToken cancellationToken)
    {
        foreach (var partition in partitions)
        {
            if (await RetryAsync(token => partition.CommitAsync(services.Store, sinksAreDurable, token), cancellationToken))
            {
                budget?.Release(partition.Partition.Partition, partition.NextOffset);
                continue;
            }

            logger.TakenOver(plan.Name, partition.Partition);
            owned.Remove(partition.Partition);
            source.Pause([partition.Partition]);
        }
    }

    private void Drain()
    {
        afterDrain.CancelAfter(options.DrainMs);
        try
        {
            FlushAsync(owned.Values, afterDrain.Token).GetAwaiter().GetResult();
            logger.Drained(plan.Name);
        }
        catch (Exception e) when (e is OperationCanceledException or StoreUnavailableException)
        {
            logger.NotDrained(plan.Name, options.DrainMs, e.Message);
        }
    }

    /// <summary>Lost infrastructure, and views that have not started yet, are waited for; anything else is a fault.</summary>
    private async Task<T> RetryAsync<T>(Func<CancellationToken, Task<T>> action, CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                return await action(cancellationToken);
            }
            catch (Exception e) when (e is StoreUnavailableException or ViewNotReadyException or TornReadException or HttpRequestException)
            {
                logger.Unavailable(plan.Name, options.RetryMs, e.Message);
                await Task.Delay(TimeSpan.FromMilliseconds(options.RetryMs), services.Time, cancellationToken);
            }
        }
    }
}
