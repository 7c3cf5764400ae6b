using System.Diagnostics;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using StreamMl.Benchmarks.Read;
using StreamMl.Infrastructure.Store;
using StreamMl.OnlineScorer;
using StreamMl.OnlineScorer.Api;
using StreamMl.Shared.Store;

namespace StreamMl.Benchmarks.Score;

/// <summary>
/// <c>POST /v1/predict</c> (20 features of one entity from a real Redis, 100 trees x 31 leaves) beside a Kestrel endpoint that reads the body and answers a constant of the same
/// size: the same client, both servers in this process, rounds alternate. Arguments: seconds per round (3), rounds (3), connections (32).
/// </summary>
internal static class PredictBenchmark
{
    private const double Target = 0.6;

    public static int Run(string[] args) => RunAsync(
        args.Length > 0 ? double.Parse(args[0]) : 3, args.Length > 1 ? int.Parse(args[1]) : 3, args.Length > 2 ? int.Parse(args[2]) : 32).GetAwaiter().GetResult();

    private static async Task<int> RunAsync(double seconds, int rounds, int connections)
    {
        await using var redis = await BenchRedis.StartAsync();
        using var world = await ScoreWorld.MakeAsync(redis.Connection);
        using var host = await ServeAsync(world, redis);
        var ours = host.Services.GetRequiredService<FeatureApiServer>().Address;
        using var http = new HttpClient(new SocketsHttpHandler { MaxConnectionsPerServer = connections });
        var answer = await AskAsync(http, ours, new Random(1));
        await using var bare = await BareAsync(answer);
        var constant = bare.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First();
        Console.WriteLine($"predict: one row a request, {answer.Length} bytes an answer, {connections} connections");
        var (predicted, bareRates) = (new List<double>(), new List<double>());
        for (var round = -1; round < rounds; round++)
        {
            var (a, b) = (await MeasureAsync(http, ours, connections, seconds), await MeasureAsync(http, constant, connections, seconds));
            if (round < 0)
                continue;
            predicted.Add(a);
            bareRates.Add(b);
            Console.WriteLine($"  {a,8:N0} predictions/s, {b,8:N0} constants/s: {a / b:F2}");
        }

        var ratio = predicted.Order().ElementAt(rounds / 2) / bareRates.Order().ElementAt(rounds / 2);
        Console.WriteLine($"  medians: ratio {ratio:F2} (target >= {Target}): {(ratio >= Target ? "met" : "MISSED")}");
        await host.StopAsync();
        return ratio >= Target ? 0 : 1;
    }

    private static async Task<IHost> ServeAsync(ScoreWorld world, BenchRedis redis)
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Logging.SetMinimumLevel(LogLevel.None);
        builder.Services.AddSingleton(world.Read.Catalog).AddSingleton<IStateStore>(new RedisStateStore(redis.Connection)).AddSingleton(world.Host);
        builder.Services.AddSingleton(new StreamMl.OnlineScorer.Scoring.ScoringOptions());
        builder.Services.AddFeatureApi(o => o.Url = "http://127.0.0.1:0");
        var host = builder.Build();
        await host.StartAsync();
        return host;
    }

    private static async Task<WebApplication> BareAsync(byte[] constant)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0").ConfigureKestrel(k => k.AddServerHeader = false);
        var web = builder.Build();
        web.MapPost("/v1/predict", async context =>
        {
            while (true)
            {
                var read = await context.Request.BodyReader.ReadAsync();
                context.Request.BodyReader.AdvanceTo(read.Buffer.End);
                if (read.IsCompleted)
                    break;
            }

            context.Response.ContentType = "application/json";
            context.Response.ContentLength = constant.Length;
            await context.Response.Body.WriteAsync(constant);
        });
        await web.StartAsync();
        return web;
    }

    private static async Task<double> MeasureAsync(HttpClient http, string address, int connections, double seconds)
    {
        var clock = Stopwatch.StartNew();
        var counts = await Task.WhenAll(Enumerable.Range(0, connections).Select(i => Task.Run(async () =>
        {
            var random = new Random(i);
            var count = 0;
            for (; clock.Elapsed.TotalSeconds < seconds; count++)
                await AskAsync(http, address, random);
            return count;
        })));
        return counts.Sum() / clock.Elapsed.TotalSeconds;
    }

    private static async Task<byte[]> AskAsync(HttpClient http, string address, Random random)
    {
        var body = $$"""{"model":"bench","rows":[{"k":"{{ReadWorld.Key(random.Next(ReadWorld.Entities))}}","c":{{random.NextDouble():F3}},"d":{{random.NextDouble():F3}}}],"asOf":{{ReadWorld.AsOfUs}}}""";
        using var content = new ByteArrayContent(Encoding.UTF8.GetBytes(body));
        using var answer = await http.PostAsync(new Uri(address + "/v1/predict"), content);
        var bytes = await answer.Content.ReadAsByteArrayAsync();
        return answer.IsSuccessStatusCode ? bytes : throw new InvalidOperationException(Encoding.UTF8.GetString(bytes));
    }
}
