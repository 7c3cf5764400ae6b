using System.Diagnostics;
using Microsoft.Extensions.Logging.Abstractions;
using StreamMl.Infrastructure.Kafka;
using StreamMl.Infrastructure.Store;
using StreamMl.OnlineScorer.Reading;
using StreamMl.OnlineScorer.Scoring;
using StreamMl.OnlineScorer.Triggers;
using StreamMl.Shared.Log;

namespace StreamMl.Benchmarks.Score;

/// <summary>A trigger server with a prediction sink, as a scorer has them, in a group of its own.</summary>
internal sealed class LoopLife : IAsyncDisposable
{
    private readonly CancellationTokenSource stop = new();
    private readonly TimedSource source;
    private readonly Task run;

    public LoopLife(KafkaEndpoint kafka, BenchRedis redis, ScoreWorld world, string topic, string name, int events, bool fromStart)
    {
        var store = new RedisStateStore(redis.Connection);
        var fields = world.Trigger.Schema.Fields.Select(f => f.Name).ToHashSet(StringComparer.Ordinal);
        var plan = TriggerPlan.Compile(world.Read.Catalog, "bench", fields);
        var consumers = new KafkaConsumerFactory(kafka);
        source = new TimedSource(consumers.CreateSource(new RecordSourceOptions { GroupId = name, UseConsumerProtocol = kafka.IsEmbedded, ReadHeaders = false }));
        Output = new TimedOutput(new KafkaPredictionOutput(topic, new KafkaProducerFactory(kafka).CreateSender(), consumers), source, events);
        Forget(redis, plan);
        var services = new TriggerServices(store, new FeatureReader(store, new()), (_, _) => ValueTask.FromResult(ScoreWorld.Avro), new KafkaTopicEnds(consumers), null, TimeProvider.System, NullLogger.Instance);
        var options = new TriggerServingOptions { AlignOlderThanMs = int.MaxValue, StartAtEnd = !fromStart };
        run = Task.Factory.StartNew(
            () =>
            {
                var sink = new PredictionSink(world.Trigger, "bench", world.Host, Output, (_, _) => ValueTask.FromResult(2));
                using var server = new TriggerServer(plan, services, options, source, [sink]);
                server.Run(stop.Token);
            },
            CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
    }

    public TimedOutput Output { get; }

    /// <summary>The partitions are assigned.</summary>
    public Task ReadyAsync() => WaitAsync(() => source.Assignment.Count == ScoreWorld.Partitions);

    /// <summary>So many predictions are handed over.</summary>
    public Task UntilAsync(int count) => WaitAsync(() => Output.Count >= count);

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        await run;
        stop.Dispose();
        await Output.DisposeAsync();
    }

    private async Task WaitAsync(Func<bool> done)
    {
        while (!done())
        {
            if (run.IsCompleted)
                await run;
            await Task.Delay(TimeSpan.FromMilliseconds(1), TimeProvider.System);
        }
    }

    /// <summary>No position of an earlier round.</summary>
    private static void Forget(BenchRedis redis, TriggerPlan plan)
    {
        for (var p = 0; p < ScoreWorld.Partitions; p++)
        {
            var partition = new PartitionId(plan.Source.Topic, p);
            redis.Connection.GetDatabase().KeyDelete([plan.PositionKey(partition), plan.SinkPositionKey(partition, "predictions")]);
        }
    }
}

/// <summary>Notes when records came. Used by one thread, as the output is.</summary>
internal sealed class TimedSource(IRecordSource inner) : IRecordSource
{
    private readonly Queue<(int Count, long At)>[] came = [.. Enumerable.Range(0, ScoreWorld.Partitions).Select(_ => new Queue<(int, long)>())];
    private readonly int[] taken = new int[ScoreWorld.Partitions];

    /// <summary>The first record of all came.</summary>
    public long FirstAt { get; private set; }

    public IReadOnlyCollection<PartitionId> Assignment => inner.Assignment;

    public bool TryReadBatch(RawRecordBatch into, TimeSpan wait)
    {
        var any = inner.TryReadBatch(into, wait);
        var now = Stopwatch.GetTimestamp();
        foreach (var run in into.Runs)
            came[run.Partition.Partition].Enqueue((run.Count, now));
        if (FirstAt == 0 && into.Count > 0)
            FirstAt = now;
        return any;
    }

    /// <summary>When the partition's next record came: each is asked for once, in order.</summary>
    public long TakeCameAt(int partition)
    {
        var (count, at) = came[partition].Peek();
        if (++taken[partition] == count)
        {
            came[partition].Dequeue();
            taken[partition] = 0;
        }

        return at;
    }

    public void Assign(IReadOnlyList<PartitionStart> starts) => inner.Assign(starts);

    public void Subscribe(IReadOnlyList<string> topics, IAssignmentHandler handler) => inner.Subscribe(topics, handler);

    public void Pause(IReadOnlyCollection<PartitionId> partitions) => inner.Pause(partitions);

    public void Resume(IReadOnlyCollection<PartitionId> partitions) => inner.Resume(partitions);

    public void Seek(PartitionId partition, long offset) => inner.Seek(partition, offset);

    public void CommitForLag(IReadOnlyList<PartitionStart> nextOffsets) => inner.CommitForLag(nextOffsets);

    public void Dispose() => inner.Dispose();
}

/// <summary>Notes how long each event took from coming to being handed over.</summary>
internal sealed class TimedOutput(IPredictionOutput inner, TimedSource source, int events) : IPredictionOutput
{
    private readonly long[] waits = new long[events];
    private volatile int count;

    public int Count => count;

    public int Bytes { get; private set; }

    /// <summary>The last event of all was handed over.</summary>
    public long LastAt { get; private set; }

    /// <summary>From the first record that came to the last prediction that was handed over.</summary>
    public TimeSpan Elapsed => Stopwatch.GetElapsedTime(source.FirstAt, LastAt);

    public IEnumerable<double> WaitsMs => waits.Take(Count).Select(w => w * 1_000.0 / Stopwatch.Frequency);

    public WrittenPredictions ReadBack(int partition, long fromTriggerOffset) => inner.ReadBack(partition, fromTriggerOffset);

    public async ValueTask SendAsync(int partition, ReadOnlyMemory<byte>? key, ReadOnlyMemory<byte> value, long timestampUs, CancellationToken cancellationToken)
    {
        await inner.SendAsync(partition, key, value, timestampUs, cancellationToken);
        LastAt = Stopwatch.GetTimestamp();
        waits[count] = LastAt - source.TakeCameAt(partition);
        Bytes += value.Length;
        count++;
    }

    public ValueTask SendDeadLetterAsync(FailedEvent failed, CancellationToken cancellationToken) => throw new InvalidOperationException(failed.Reason);

    public Task FlushAsync(CancellationToken cancellationToken) => inner.FlushAsync(cancellationToken);

    public ValueTask DisposeAsync() => inner.DisposeAsync();
}
