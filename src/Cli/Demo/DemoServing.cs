using System.Globalization;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using StreamMl.BatchBackfill.Spines;
using StreamMl.Cli.Hosting;
using StreamMl.Infrastructure.Hosting;
using StreamMl.Infrastructure.Predictions;
using StreamMl.Monitoring;
using StreamMl.Monitoring.Quality;
using StreamMl.OnlineScorer;
using StreamMl.OnlineScorer.Api;
using StreamMl.OnlineScorer.Reading;
using StreamMl.OnlineScorer.Scoring;
using StreamMl.Shared.Definitions;

namespace StreamMl.Cli.Demo;

/// <summary>The scorer, the query API and the monitor of realised quality, beside the workers that run since the demo began.</summary>
internal sealed class DemoServing(DemoOptions options, Installation installation, Catalog catalog) : IDisposable
{
    private static readonly TimeSpan LabelPause = TimeSpan.FromMilliseconds(100);
    private readonly IHost host = WorkerRunner.Build(installation, catalog, services => Add(services, options), LogLevel.Warning);

    /// <summary>What must be durable before a vector counts as served.</summary>
    public static IReadOnlyList<string> Sinks { get; } = ["vectors", "predictions"];

    public FeatureReader Reader => host.Services.GetRequiredService<FeatureReader>();

    /// <returns>Address of the API, once every trigger partition has its scorer.</returns>
    public async Task<string> StartAsync(CancellationToken stop)
    {
        await host.StartAsync(stop);
        await Caught.ClaimedAsync(catalog, installation.Store, DemoRun.Service, stop);
        return host.Services.GetRequiredService<FeatureApiServer>().Address;
    }

    /// <summary>How the champion does so far, for a progress line.</summary>
    public string Quality() => host.Services.GetRequiredService<RealisedQuality>().Snapshot() is [var champion, ..]
        ? string.Create(CultureInfo.InvariantCulture, $"  {champion.Outcomes,6:N0} landed, AUC {champion.RocAuc:F3}, log loss {champion.LogLoss:F3}")
        : "";

    /// <summary>The monitor follows the topics by itself: waits until nothing more comes.</summary>
    public async Task WaitForLabelsAsync(CancellationToken stop)
    {
        var quality = host.Services.GetRequiredService<RealisedQuality>();
        IReadOnlyList<QualitySnapshot> before, now = quality.Snapshot();
        do
        {
            before = now;
            await Task.Delay(LabelPause * 5, TimeProvider.System, stop);
            now = quality.Snapshot();
        }
        while (!now.SequenceEqual(before));
        foreach (var q in now)
            DemoScreen.Line(string.Create(CultureInfo.InvariantCulture, $"  {q.Variant}: {q.Outcomes:N0} predictions whose flight has landed: AUC {q.RocAuc:F4}, log loss {q.LogLoss:F4}, mean score {q.MeanScore:P1}, late {q.PositiveRate:P1}; {q.Pending:N0} have not landed"));
    }

    public Task WaitForShutdownAsync(CancellationToken stop) => host.WaitForShutdownAsync(stop);

    public void Dispose()
    {
        host.StopAsync(CancellationToken.None).GetAwaiter().GetResult();
        host.Dispose();
    }

    private static void Add(IServiceCollection services, DemoOptions options)
    {
        Scoring.Add(services, options.Directory, ScoringPolicies.None);
        services.AddFeatureApi(o => o.Url = options.Stay ? "http://127.0.0.1:8088" : "http://127.0.0.1:0");
        services.AddTriggerServing(o => (o.Directory, o.StartAtEnd, o.FlushMs) = (options.Directory, true, 1_000));
        var label = LabelRule.Parse(DemoModels.Label);
        services.AddRealisedQuality(o =>
        {
            o.Topic = PredictionSchema.TopicOf(DemoRun.Service);
            (o.LabelSource, o.LabelExpression, o.LabelField, o.PredictionField) = (label.Source, label.Expression, label.Field, label.SpineColumn);
        });
    }
}
