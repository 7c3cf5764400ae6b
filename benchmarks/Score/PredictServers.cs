using System.Diagnostics;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using StreamMl.Infrastructure.Store;
using StreamMl.OnlineScorer;
using StreamMl.OnlineScorer.Api;
using StreamMl.Shared.Store;

namespace StreamMl.Benchmarks.Score;

/// <summary>The two servers that are compared, each in a process of its own: it prints its address, and ends when its standard input does.</summary>
internal static class PredictServers
{
    /// <summary>Our scorer, with a Redis and a model of its own.</summary>
    public static async Task<int> OursAsync()
    {
        await using var redis = await BenchRedis.StartAsync();
        using var world = await ScoreWorld.MakeAsync(redis.Connection);
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Logging.SetMinimumLevel(LogLevel.None);
        builder.Services.AddSingleton(world.Read.Catalog).AddSingleton<IStateStore>(new RedisStateStore(redis.Connection)).AddSingleton(world.Host);
        builder.Services.AddSingleton(new StreamMl.OnlineScorer.Scoring.ScoringOptions());
        builder.Services.AddFeatureApi(o => o.Url = "http://127.0.0.1:0");
        using var host = builder.Build();
        await host.StartAsync();
        Console.WriteLine(host.Services.GetRequiredService<FeatureApiServer>().Address);
        await Console.In.ReadToEndAsync();
        await host.StopAsync();
        return 0;
    }

    /// <summary>A bare Kestrel that reads the body and answers a constant.</summary>
    public static async Task<int> BareAsync(int size)
    {
        var constant = new byte[size];
        constant.AsSpan().Fill((byte)' ');
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0").ConfigureKestrel(k => k.AddServerHeader = false);
        await using var web = builder.Build();
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
        Console.WriteLine(web.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First());
        await Console.In.ReadToEndAsync();
        await web.StopAsync();
        return 0;
    }
}

/// <summary>A server in a process of its own.</summary>
internal sealed class ServerProcess : IAsyncDisposable
{
    private readonly Process process;

    private ServerProcess(Process process, Uri address) => (this.process, Address) = (process, address);

    public Uri Address { get; }

    /// <summary>CPU time that it took so far.</summary>
    public TimeSpan Cpu
    {
        get
        {
            process.Refresh();
            return process.TotalProcessorTime;
        }
    }

    public static async Task<ServerProcess> StartAsync(params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet", [typeof(ServerProcess).Assembly.Location, "predict", .. arguments]) { RedirectStandardInput = true, RedirectStandardOutput = true, UseShellExecute = false };
        var started = Process.Start(start) ?? throw new InvalidOperationException("dotnet did not start");
        var address = await started.StandardOutput.ReadLineAsync() ?? throw new InvalidOperationException($"the server {string.Join(' ', arguments)} ended before it said where it listens");
        return new ServerProcess(started, new Uri(address));
    }

    public async ValueTask DisposeAsync()
    {
        process.StandardInput.Close();
        await process.WaitForExitAsync();
        process.Dispose();
    }
}
