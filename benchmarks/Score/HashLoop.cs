using System.Diagnostics;
using StackExchange.Redis;
using StreamMl.Infrastructure.Avro;
using StreamMl.Infrastructure.Kafka;
using StreamMl.Shared.Events;
using StreamMl.Shared.Features;
using StreamMl.Shared.Log;

namespace StreamMl.Benchmarks.Score;

/// <summary>The loop that one would write: the same source, decoder, model and producer, and one HGETALL of text fields per event. Its records are bytes of the same size.</summary>
internal sealed class HashLoop(BenchRedis redis, ScoreWorld world, RecordProducer producer, string topic, int size) : IDisposable
{
    private readonly EventDecoderSet decoders = new(world.Trigger, world.Trigger.Schema, (_, _) => ValueTask.FromResult(ScoreWorld.Avro));
    private readonly double[] values = new double[world.Read.Service.Program.Columns.Count];

    public void Dispose() => decoders.Dispose();

    /// <summary>Returns the time from the first record that came to the last one that was handed over.</summary>
    public async Task<TimeSpan> RunAsync(IRecordSource source, int events, int inFlight)
    {
        var database = redis.Connection.GetDatabase();
        await decoders.PrepareAsync(1);
        var scorer = world.Model.Code.NewScorer();
        using var records = new RawRecordBatch(inFlight);
        var (batch, pending) = (new EventBatch(world.Trigger.Schema, inFlight), new Task<HashEntry[]>[inFlight]);
        FeatureRow[] vectors = [.. Enumerable.Range(0, inFlight).Select(_ => new FeatureRow(world.Model.Inputs.Count))];
        var scores = new double[inFlight];
        var started = 0L;
        for (var done = 0; done < events;)
        {
            if (!source.TryReadBatch(records, TimeSpan.FromMilliseconds(20)))
                continue;
            started = started == 0 ? Stopwatch.GetTimestamp() : started;
            batch.Clear();
            for (var i = 0; i < records.Count; i++)
            {
                decoders.Decode(records.Value(i), batch, batch.NextRow(), out _, out _, out _);
                batch.Count++;
                pending[i] = database.HashGetAllAsync($"landed:{batch.Arena.GetString(batch.Columns[1].Lanes[i])}");
            }

            for (var i = 0; i < records.Count; i++)
            {
                world.Read.Decode(await pending[i], 0, values);
                Fill(batch, i, vectors[i]);
            }

            scorer.ScoreBatch(vectors.AsSpan(0, records.Count), scores.AsSpan(0, records.Count));
            for (var i = 0; i < records.Count; i++)
            {
                var record = new byte[size];
                BitConverter.TryWriteBytes(record, scores[i]);
                await producer.SendAsync(new PartitionId(topic, i % ScoreWorld.Partitions), null, record, records.Records[i].TimestampUs, null, CancellationToken.None);
            }

            done += records.Count;
        }

        var elapsed = Stopwatch.GetElapsedTime(started);
        await producer.FlushAsync(CancellationToken.None);
        return elapsed;
    }

    private void Fill(EventBatch batch, int row, FeatureRow vector)
    {
        vector.Clear();
        for (var c = 0; c < values.Length; c++)
        {
            if (world.Model.Inputs[c].Type == FieldType.Int64)
                vector.Set(c, (long)values[c]);
            else if (!double.IsNaN(values[c]))
                vector.Set(c, values[c]);
        }

        vector.Set(values.Length, batch.Columns[2].Lanes[row]);
        vector.Set(values.Length + 1, batch.Columns[3].Lanes[row]);
    }
}
