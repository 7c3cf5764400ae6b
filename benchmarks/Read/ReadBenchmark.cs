using System.Diagnostics;
using StackExchange.Redis;
using StreamMl.Infrastructure.Embedded;

namespace StreamMl.Benchmarks.Read;

/// <summary>
/// Online read of 64 entities x 3 views, 20 features each: the feature reader beside HGETALL of 20 text fields per entity and view (how Feast lays
/// a view out), through the same StackExchange.Redis on one real redis-server. Both decode all values, and the values are compared. Rounds alternate.
/// Arguments: seconds per round (3), rounds (3), events per entity (20).
/// </summary>
internal static class ReadBenchmark
{
    private const double Target = 3;

    public static int Run(string[] args) => RunAsync(
        args.Length > 0 ? double.Parse(args[0]) : 3, args.Length > 1 ? int.Parse(args[1]) : 3, args.Length > 2 ? int.Parse(args[2]) : 20).GetAwaiter().GetResult();

    private static async Task<int> RunAsync(double seconds, int rounds, int eventsPerEntity)
    {
        var port = FreePort.Next();
        using var server = Process.Start(new ProcessStartInfo("redis-server", $"--port {port} --bind 127.0.0.1 --save \"\" --appendonly no --loglevel warning") { RedirectStandardOutput = true, UseShellExecute = false })
            ?? throw new InvalidOperationException("redis-server did not start: install Debian's package redis-server");
        try
        {
            await using var redis = await ConnectAsync(port);
            var world = await ReadWorld.FillAsync(redis, eventsPerEntity);
            Console.WriteLine($"64 entities x 3 views x 20 features; {ReadWorld.Entities:N0} entities a view, {eventsPerEntity} events each; a state has {world.StateBytes:N0} bytes, a hash {world.HashBytes:N0}");
            await world.CompareAsync(redis, reads: 20);
            Console.WriteLine("  20 reads compared: every value equal");
            return await CompareAsync(redis, world, server, seconds, rounds);
        }
        finally
        {
            server.Kill();
            await server.WaitForExitAsync();
        }
    }

    private static async Task<int> CompareAsync(IConnectionMultiplexer redis, ReadWorld world, Process server, double seconds, int rounds)
    {
        double bestOurs = 0, bestHashes = 0;
        foreach (var inFlight in new[] { 1, 2, 4, 8 })
        {
            var ours = new List<Rate>();
            var hashes = new List<Rate>();
            for (var round = 0; round < rounds; round++)
            {
                ours.Add(await MeasureAsync(server, inFlight, seconds, i => world.OursAsync(redis, i)));
                hashes.Add(await MeasureAsync(server, inFlight, seconds, i => world.HashesAsync(redis, i)));
            }

            var (a, b) = (Median(ours), Median(hashes));
            Console.WriteLine($"  {inFlight} reads ({inFlight * 192} keys) in flight: ours {a}; HGETALL {b}; ratio {a.PerSecond / b.PerSecond:F2}, client CPU {b.ClientUs / a.ClientUs:F2}, server CPU {b.ServerUs / a.ServerUs:F2}");
            bestOurs = Math.Max(bestOurs, a.PerSecond);
            bestHashes = Math.Max(bestHashes, b.PerSecond);
        }

        Console.WriteLine($"best of each: {bestOurs:N0} against {bestHashes:N0} reads/s, ratio {bestOurs / bestHashes:F2} (target {Target})");
        return bestOurs / bestHashes >= Target ? 0 : 1;
    }

    private static async Task<Rate> MeasureAsync(Process server, int inFlight, double seconds, Func<int, Func<Task>> reader)
    {
        var readers = Enumerable.Range(0, inFlight).Select(reader).ToList();
        await Task.WhenAll(readers.Select(r => r())); // warm
        server.Refresh();
        var (client0, server0) = (Process.GetCurrentProcess().TotalProcessorTime, server.TotalProcessorTime);
        var clock = Stopwatch.StartNew();
        var counts = await Task.WhenAll(readers.Select(r => Task.Run(async () =>
        {
            var count = 0;
            for (; clock.Elapsed.TotalSeconds < seconds; count++)
                await r();
            return count;
        })));
        var elapsed = clock.Elapsed.TotalSeconds;
        server.Refresh();
        var reads = counts.Sum();
        return new Rate(
            reads / elapsed,
            (Process.GetCurrentProcess().TotalProcessorTime - client0).TotalMicroseconds / reads,
            (server.TotalProcessorTime - server0).TotalMicroseconds / reads);
    }

    private static Rate Median(List<Rate> rates) => rates.OrderBy(r => r.PerSecond).ElementAt(rates.Count / 2);

    private static async Task<IConnectionMultiplexer> ConnectAsync(int port)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return await ConnectionMultiplexer.ConnectAsync($"127.0.0.1:{port},connectTimeout=1000,syncTimeout=60000,asyncTimeout=60000");
            }
            catch (RedisConnectionException) when (attempt < 20)
            {
                // it is starting
            }
        }
    }

    private sealed record Rate(double PerSecond, double ClientUs, double ServerUs)
    {
        public override string ToString() => $"{PerSecond:N0} reads/s (client {ClientUs:N0} us CPU, server {ServerUs:N0})";
    }
}
