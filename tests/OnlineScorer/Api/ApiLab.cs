using System.Text;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using StreamMl.OnlineScorer.Api;
using StreamMl.OnlineScorer.Api.Grpc;
using StreamMl.OnlineScorer.Scoring;
using StreamMl.OnlineScorer.Tests.Scoring;
using StreamMl.Shared.Store;
using StreamMl.Shared.Time;
using StreamMl.TestKit.Store;

namespace StreamMl.OnlineScorer.Tests.Api;

/// <summary>The API on a free port over a lab's store.</summary>
internal sealed class ApiLab : IAsyncDisposable
{
    private readonly IHost host;

    private ApiLab(IHost host, ServingLab lab, HttpClient http, ModelLab? models)
    {
        Models = models;
        this.host = host;
        Lab = lab;
        Http = http;
    }

    public ServingLab Lab { get; }

    public HttpClient Http { get; }

    public string GrpcAddress => host.Services.GetRequiredService<GrpcScorerServer>().Address;

    /// <summary>Where scoring was asked for.</summary>
    public ModelLab? Models { get; }

    public static async Task<ApiLab> StartAsync(
        Action<FeatureApiOptions>? configure = null, IStateStore? store = null, Action<ScoringOptions>? scoring = null, ScoringPolicies? policies = null, IModelCodeFactory? factory = null, Shared.Definitions.Catalog? catalog = null)
    {
        var lab = new ServingLab(store ?? new InMemoryStateStore(), catalog);
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Logging.SetMinimumLevel(LogLevel.None);
        builder.Services.AddSingleton(lab.Catalog).AddSingleton(lab.Store);
        builder.Services.AddSingleton<TimeProvider>(new FakeTimeProvider(new DateTimeOffset(TimeGrid.ToDateTime(ServingLab.StartUs + TimeGrid.MicrosPerHour), TimeSpan.Zero)));
        ModelLab? models = null;
        if (scoring is not null)
        {
            models = new ModelLab(lab.Catalog, policies, factory: factory);
            builder.Services.AddSingleton(models.Host);
            builder.Services.AddSingleton(models.Store).AddSingleton<IModelCodeFactory, LinearFactory>();
            builder.Services.AddScoring(scoring);
        }

        builder.Services.AddFeatureApi(o =>
        {
            o.Url = "http://127.0.0.1:0";
            configure?.Invoke(o);
        });
        var built = builder.Build();
        await built.StartAsync(TestContext.Current.CancellationToken);
        return new ApiLab(built, lab, new HttpClient { BaseAddress = new Uri(built.Services.GetRequiredService<FeatureApiServer>().Address) }, models);
    }

    public async Task<(int Status, JsonElement Json)> PostAsync(string body, string path = "/v1/features")
    {
        using var content = new StringContent(body, Encoding.UTF8, "application/json");
        return await ReadAsync(await Http.PostAsync(path, content, TestContext.Current.CancellationToken));
    }

    public async Task<(int Status, JsonElement Json)> GetAsync(string path) => await ReadAsync(await Http.GetAsync(path, TestContext.Current.CancellationToken));

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        await host.StopAsync(TestContext.Current.CancellationToken);
        host.Dispose();
        Models?.Dispose();
    }

    private static async Task<(int Status, JsonElement Json)> ReadAsync(HttpResponseMessage response)
    {
        var text = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        using var json = JsonDocument.Parse(text);
        return ((int)response.StatusCode, json.RootElement.Clone());
    }
}
