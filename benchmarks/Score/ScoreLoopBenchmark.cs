using System.Diagnostics;
using StreamMl.Benchmarks.Read;
using StreamMl.Infrastructure.Kafka;
using StreamMl.Infrastructure.Store;
using StreamMl.Shared.Log;
using StreamMl.Shared.Store;
using StreamMl.Shared.Time;

namespace StreamMl.Benchmarks.Score;

/// <summary>
/// The event loop, Kafka to store to model to Kafka, beside the same loop that reads one HGETALL of 20 text fields per event (256 in flight), and beside MGET of the same states
/// alone. Real Kafka and Redis; 20 features, 100 trees x 31 leaves. Arguments: BOOTSTRAP, events (300,000), rounds (3; 0 runs our
/// loop alone, for a profiler).
/// </summary>
internal static class ScoreLoopBenchmark
{
    private const int InFlight = 256;
    private const double HashTarget = 3;
    private const double MgetTarget = 0.3;
    private const double LatencyTargetMs = 5;

    public static int Run(string[] args)
    {
        if (args.Length > 0)
            return RunAsync(args[0], args.Length > 1 ? int.Parse(args[1]) : 300_000, args.Length > 2 ? int.Parse(args[2]) : 3).GetAwaiter().GetResult();
        Console.Error.WriteLine("score-loop BOOTSTRAP [EVENTS] [ROUNDS]: name a Kafka; the embedded one keeps 5 MiB a partition.");
        return 2;
    }

    private static async Task<int> RunAsync(string bootstrap, int events, int rounds)
    {
        var kafka = KafkaEndpoint.Of(bootstrap);
        await using var redis = await BenchRedis.StartAsync();
        using var world = await ScoreWorld.MakeAsync(redis.Connection, $"bench-asks-{Environment.ProcessId}");
        using (var admin = new TopicAdmin(kafka))
        {
            foreach (var topic in new[] { world.Trigger.Topic, Out(world), LogNames.DeadLetterTopic(Out(world)) })
                await admin.EnsureTopicAsync(topic, ScoreWorld.Partitions, CancellationToken.None);
        }

        await using var producer = new KafkaProducerFactory(kafka).Create();
        await ScoreWorld.ProduceAsync(producer, world.Trigger.Topic, ScoreWorld.Events(1), events);
        Console.WriteLine($"score-loop: {events:N0} events a round, a state has {world.Read.StateBytes:N0} bytes, a hash {world.Read.HashBytes:N0}; kernel by trial");
        await using (var sender = new KafkaProducerFactory(kafka).CreateSender())
            await StageCosts.PrintAsync(redis, world, sender, Out(world));
        if (rounds == 0)
            return await OnlyOursAsync(kafka, redis, world, events);
        var (ours, hashes, mget) = (new List<Rate>(), new List<Rate>(), new List<Rate>());
        for (var round = -1; round < rounds; round++)
        {
            var (a, size, threads) = await OursAsync(kafka, redis, world, events, round);
            var b = await HashesAsync(kafka, redis, world, events, size);
            var c = await MgetAsync(redis, world, events);
            if (round < 0)
                continue;
            ours.Add(a);
            hashes.Add(b);
            mget.Add(c);
            Console.WriteLine($"  ours {a}; HGETALL {b}: {a.PerSecond / b.PerSecond:F2} ({b.CpuUs / a.CpuUs:F2} in CPU); MGET alone {c}: {a.PerSecond / c.PerSecond:F2}; our threads' us: {threads}");
        }

        var rate = Median(ours);
        var (overHashes, overMget) = (rate / Median(hashes), rate / Median(mget));
        await using var prompt = new KafkaProducerFactory(kafka).CreateSender(new KafkaProducerOptions { LingerMs = 1 });
        var p99 = await LatencyAsync(kafka, redis, world, prompt, rate / 2, events * 2);
        Console.WriteLine($"  {overHashes:F2}x the HGETALL loop (target >= {HashTarget}): {Met(overHashes >= HashTarget)}");
        Console.WriteLine($"  {overMget:F2} of MGET alone (target >= {MgetTarget}): {Met(overMget >= MgetTarget)}");
        Console.WriteLine($"  consume to enqueue at half load: p99 {p99:F2} ms (target <= {LatencyTargetMs}): {Met(p99 <= LatencyTargetMs)}");
        return overHashes >= HashTarget && overMget >= MgetTarget && p99 <= LatencyTargetMs ? 0 : 1;
    }

    /// <summary>For a profiler.</summary>
    private static async Task<int> OnlyOursAsync(KafkaEndpoint kafka, BenchRedis redis, ScoreWorld world, int events)
    {
        for (var round = 0; round < 6; round++)
        {
            var (rate, _, threads) = await OursAsync(kafka, redis, world, events, round);
            Console.WriteLine($"  ours {rate}: {threads}");
        }

        return 0;
    }

    private static string Out(ScoreWorld world) => $"{world.Trigger.Topic}-scored";

    private static string Met(bool met) => met ? "met" : "MISSED";

    private static double Median(List<Rate> rates) => rates.Select(r => r.PerSecond).Order().ElementAt(rates.Count / 2);

    private static async Task<(Rate Rate, int Size, string Threads)> OursAsync(KafkaEndpoint kafka, BenchRedis redis, ScoreWorld world, int events, int round)
    {
        await using var life = new LoopLife(kafka, redis, world, Out(world), $"bench{round + 1}-{Environment.ProcessId}", events, fromStart: true);
        var threads = new ThreadCosts();
        var rate = await Rate.OfAsync(events, async () =>
        {
            await life.UntilAsync(events);
            return life.Output.Elapsed;
        });
        return (rate, life.Output.Bytes / Math.Max(1, life.Output.Count), threads.Describe(events));
    }

    private static async Task<Rate> HashesAsync(KafkaEndpoint kafka, BenchRedis redis, ScoreWorld world, int events, int size)
    {
        using var source = new KafkaConsumerFactory(kafka).CreateSource(new RecordSourceOptions { ReadHeaders = false });
        source.Assign([.. Enumerable.Range(0, ScoreWorld.Partitions).Select(p => new PartitionStart(new PartitionId(world.Trigger.Topic, p), PartitionStart.Beginning))]);
        await using var producer = new KafkaProducerFactory(kafka).Create();
        using var loop = new HashLoop(redis, world, producer, Out(world), size);
        return await Rate.OfAsync(events, () => Task.Run(() => loop.RunAsync(source, events, InFlight)));
    }

    private static async Task<Rate> MgetAsync(BenchRedis redis, ScoreWorld world, int events)
    {
        var store = new RedisStateStore(redis.Connection);
        var random = new Random(3);
        var (keys, view) = (new PackedBytes(), world.Read.Service.Views[0]);
        return await Rate.OfAsync(events, async () =>
        {
            var clock = Stopwatch.StartNew();
            for (var done = 0; done < events; done += InFlight)
            {
                keys.Clear();
                for (var i = 0; i < InFlight; i++)
                {
                    var key = System.Text.Encoding.UTF8.GetBytes(ReadWorld.Key(random.Next(ReadWorld.Entities)));
                    keys.Add([.. view.StatePrefix(KeyPartitioner.PartitionOf(key, view.Partitions)), .. key]);
                }

                using var values = await store.ReadAsync(keys, CancellationToken.None);
            }

            return clock.Elapsed;
        });
    }

    /// <summary>Events come at a steady rate, a millisecond's worth at a time.</summary>
    private static async Task<double> LatencyAsync(KafkaEndpoint kafka, BenchRedis redis, ScoreWorld world, IRecordSender producer, double perSecond, int events)
    {
        await using var life = new LoopLife(kafka, redis, world, Out(world), $"benchl-{Environment.ProcessId}", events, fromStart: false);
        await life.ReadyAsync();
        var all = ScoreWorld.Events(1);
        var clock = Stopwatch.StartNew();
        for (var sent = 0; sent < events;)
        {
            for (var due = Math.Min(events, (int)(clock.Elapsed.TotalSeconds * perSecond)); sent < due; sent++)
                await producer.SendAsync(new PartitionId(world.Trigger.Topic, sent % ScoreWorld.Partitions), null, all[sent & 65_535], ReadWorld.AsOfUs, null, CancellationToken.None);
            await ShortPause.WaitAsync(TimeSpan.FromMilliseconds(1), TimeProvider.System, CancellationToken.None);
        }

        await producer.FlushAsync(CancellationToken.None);
        await life.UntilAsync(events);
        // The first fifth warms up.
        var waits = life.Output.WaitsMs.Skip(events / 5).Order().ToList();
        Console.WriteLine($"  at {perSecond:N0} events/s: p50 {waits[waits.Count / 2]:F2} ms, p99 {waits[(int)(waits.Count * 0.99)]:F2}, p99.9 {waits[(int)(waits.Count * 0.999)]:F2}");
        return waits[(int)(waits.Count * 0.99)];
    }

    private sealed record Rate(double PerSecond, double CpuUs)
    {
        /// <summary>The work says itself how long it took: from its first event to its last, without joining a group before and flushing after.</summary>
        public static async Task<Rate> OfAsync(int events, Func<Task<TimeSpan>> work)
        {
            using var process = Process.GetCurrentProcess();
            var cpu = process.TotalProcessorTime;
            var elapsed = await work();
            process.Refresh();
            return new Rate(events / elapsed.TotalSeconds, (process.TotalProcessorTime - cpu).TotalMicroseconds / events);
        }

        public override string ToString() => $"{PerSecond,9:N0}/s ({CpuUs:F1} us CPU)";
    }
}
