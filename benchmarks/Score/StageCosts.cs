using System.Diagnostics;
using StreamMl.Benchmarks.Kernel;
using StreamMl.Infrastructure.Avro;
using StreamMl.Infrastructure.Kafka;
using StreamMl.Infrastructure.Store;
using StreamMl.OnlineScorer.Reading;
using StreamMl.OnlineScorer.Scoring;
using StreamMl.OnlineScorer.Triggers;
using StreamMl.Shared.Log;

namespace StreamMl.Benchmarks.Score;

/// <summary>Where an event's time goes: each stage of the loop alone, in CPU time of the process (stages that use other threads) or of the thread.</summary>
internal static class StageCosts
{
    private const int Events = 512;
    private const int Times = 60;

    /// <summary>Until code is what it will be: the runtime compiles what is called often anew, once 100 ms went by without new code. Before that a stage takes up to six times as long.</summary>
    private static readonly TimeSpan WarmUp = TimeSpan.FromMilliseconds(600);

    public static async Task PrintAsync(BenchRedis redis, ScoreWorld world, IRecordSender sender, string topic)
    {
        var trigger = world.Trigger.Schema;
        var batch = new ServedBatch(world.Read.Service, trigger) { IsCaughtUp = true };
        using var decoders = new EventDecoderSet(world.Trigger, trigger, (_, _) => ValueTask.FromResult(ScoreWorld.Avro));
        await decoders.PrepareAsync(1);
        var values = ScoreWorld.Events(1);
        var reader = new FeatureReader(new RedisStateStore(redis.Connection), new());
        var scorer = new EventScorer(world.Model, world.Model.GivenColumns(trigger, "the trigger"));
        int[] all = [.. Enumerable.Range(0, Events)];
        var schema = world.Model.PredictionsOf(trigger.Fields.Where(f => f.Name != "at"));
        var encoder = new PredictionEncoder(world.Host.Serving[0], world.Trigger.Topic, trigger, schema, 2);
        var plan = TriggerPlan.Compile(world.Read.Catalog, "bench", trigger.Fields.Select(f => f.Name).ToHashSet(StringComparer.Ordinal));
        var records = Enumerable.Range(0, Events).Select(_ => new byte[1]).ToArray();
        var decode = Best(() => Decode(batch, decoders, plan, values));
        var read = await BestAsync(() => reader.ReadAsync(batch.Read, CancellationToken.None));
        var score = Best(() =>
        {
            for (var first = 0; first < Events; first += EventScorer.MaxEvents)
                scorer.Score(batch, all.AsSpan(first, EventScorer.MaxEvents));
        });
        var encode = Best(() => Each(i => encoder.Encode(batch, i, scorer.Rows[i % EventScorer.MaxEvents])));
        Each(i => records[i] = encoder.Encode(batch, i, scorer.Rows[i % EventScorer.MaxEvents]).ToArray());
        var send = await BestAsync(async () =>
        {
            for (var i = 0; i < Events; i++)
                await sender.SendAsync(new PartitionId(topic, i % ScoreWorld.Partitions), null, records[i], 0, null, CancellationToken.None);
            await sender.FlushAsync(CancellationToken.None);
        });
        Console.WriteLine($"  CPU per event: decode {decode:F2} us, read {read:F2}, score {score:F2}, encode {encode:F2}, send {send:F2} ({records[0].Length} bytes a record)");
    }

    private static void Decode(ServedBatch batch, EventDecoderSet decoders, TriggerPlan plan, byte[][] values)
    {
        batch.Clear();
        for (var i = 0; i < Events; i++)
        {
            var row = batch.Events.NextRow();
            decoders.Decode(values[i], batch.Events, row, out var at, out _, out _);
            batch.Events.Count++;
            plan.SetKeys(batch, batch.Add(new TriggerEvent(new PartitionId(plan.Source.Topic, 0), i, at, at, row)), row);
        }
    }

    private static void Each(Action<int> action)
    {
        for (var i = 0; i < Events; i++)
            action(i);
    }

    private static double Best(Action stage)
    {
        var warm = Stopwatch.StartNew();
        while (warm.Elapsed < WarmUp)
            stage();
        var best = double.MaxValue;
        for (var time = 0; time < Times; time++)
        {
            var start = ThreadClock.Nanoseconds();
            stage();
            best = Math.Min(best, (ThreadClock.Nanoseconds() - start) / 1_000.0 / Events);
        }

        return best;
    }

    private static async Task<double> BestAsync(Func<Task> stage)
    {
        var warm = Stopwatch.StartNew();
        while (warm.Elapsed < WarmUp)
            await stage();
        using var process = Process.GetCurrentProcess();
        var best = double.MaxValue;
        for (var round = 0; round < 6; round++)
        {
            process.Refresh();
            var start = process.TotalProcessorTime;
            for (var time = 0; time < Times; time++)
                await stage();
            process.Refresh();
            best = Math.Min(best, (process.TotalProcessorTime - start).TotalMicroseconds / Events / Times);
        }

        return best;
    }
}
