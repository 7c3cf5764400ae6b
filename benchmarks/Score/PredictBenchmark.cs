using System.Globalization;
using System.Text;
using StreamMl.Benchmarks.Read;

namespace StreamMl.Benchmarks.Score;

/// <summary>
/// <c>POST /v1/predict</c> (20 features of one entity from a real Redis, 100 trees x 31 leaves) beside a Kestrel endpoint that reads the body and answers a constant of the same
/// size. Each server is a process of its own and so is the client; one server works at a time, in turns. Arguments: seconds per round (2), rounds (7), connections (32).
/// </summary>
internal static class PredictBenchmark
{
    private const double Target = 0.6;

    public static int Run(string[] args) => (args.FirstOrDefault() switch
    {
        "serve-ours" => PredictServers.OursAsync(),
        "serve-bare" => PredictServers.BareAsync(int.Parse(args[1], CultureInfo.InvariantCulture)),
        _ => RunAsync(args.Length > 0 ? double.Parse(args[0], CultureInfo.InvariantCulture) : 2, args.Length > 1 ? int.Parse(args[1], CultureInfo.InvariantCulture) : 7, args.Length > 2 ? int.Parse(args[2], CultureInfo.InvariantCulture) : 32),
    }).GetAwaiter().GetResult();

    private static async Task<int> RunAsync(double seconds, int rounds, int connections)
    {
        await using var ours = await ServerProcess.StartAsync("serve-ours");
        var requests = Requests(ours.Address);
        var size = (await RawHttpClient.AskAsync(ours.Address, requests[0])).Length;
        await using var bare = await ServerProcess.StartAsync("serve-bare", size.ToString(CultureInfo.InvariantCulture));
        Console.WriteLine($"predict: one row a request, {size} bytes an answer, {connections} connections; ratio of each round");
        var ratios = new List<double>();
        for (var round = -2; round < rounds; round++)
        {
            // The requests name our host; the constant's server does not care.
            var a = await MeasureAsync(ours, requests, connections, seconds);
            var b = await MeasureAsync(bare, requests, connections, seconds);
            if (round < 0)
                continue;
            ratios.Add(a.PerSecond / b.PerSecond);
            Console.WriteLine($"  predictions {a}; constants {b}: {a.PerSecond / b.PerSecond:F2}");
        }

        var ratio = ratios.Order().ElementAt(rounds / 2);
        Console.WriteLine($"  median ratio {ratio:F2} (target >= {Target}): {(ratio >= Target ? "met" : "MISSED")}");
        return ratio >= Target ? 0 : 1;
    }

    private static async Task<Round> MeasureAsync(ServerProcess server, byte[][] requests, int connections, double seconds)
    {
        var cpu = server.Cpu;
        var (count, ms) = await RawHttpClient.RunAsync(server.Address, requests, connections, TimeSpan.FromSeconds(seconds));
        ms.Sort();
        return new Round(count / seconds, (server.Cpu - cpu).TotalMicroseconds / count, ms[count / 2], ms[(int)(count * 0.99)]);
    }

    private static byte[][] Requests(Uri address)
    {
        var random = new Random(1);
        return [.. Enumerable.Range(0, 16_384).Select(_ =>
        {
            var body = $$"""{"model":"bench","rows":[{"k":"{{ReadWorld.Key(random.Next(ReadWorld.Entities))}}","c":{{random.NextDouble():F3}},"d":{{random.NextDouble():F3}}}],"asOf":{{ReadWorld.AsOfUs}}}""";
            return Encoding.UTF8.GetBytes($"POST /v1/predict HTTP/1.1\r\nHost: {address.Authority}\r\nContent-Type: application/json\r\nContent-Length: {Encoding.UTF8.GetByteCount(body)}\r\n\r\n{body}");
        })];
    }

    private sealed record Round(double PerSecond, double CpuUs, double P50Ms, double P99Ms)
    {
        public override string ToString() => $"{PerSecond,7:N0}/s ({CpuUs:F0} us CPU, p50 {P50Ms:F2} ms, p99 {P99Ms:F2})";
    }
}
