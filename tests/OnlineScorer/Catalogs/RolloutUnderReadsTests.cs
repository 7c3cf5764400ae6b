using System.Text;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using StreamMl.FeatureEngine.Views;
using StreamMl.Infrastructure.Embedded;
using StreamMl.Infrastructure.Kafka;
using StreamMl.Infrastructure.Registry;
using StreamMl.Infrastructure.Store;
using StreamMl.OnlineScorer.Api;
using StreamMl.Shared.Definitions;
using StreamMl.Shared.Log;
using StreamMl.Shared.Store;
using StreamMl.StreamFeatures;
using StreamMl.StreamFeatures.Rebuilding;
using StreamMl.TestKit;
using StreamMl.TestKit.Servers;

namespace StreamMl.OnlineScorer.Tests.Catalogs;

/// <summary>The whole of a changed definition, on this machine's most real servers: a worker, a rollout beside it, one reader that changes, the worker's successor; read all the while.</summary>
public sealed class RolloutUnderReadsTests(KafkaFixture kafka, RedisFixture redis) : IClassFixture<RedisFixture>, IAsyncDisposable
{
    private const string Query = """{"service":"both","entities":[{"origin":"A1"}],"asOf":"2020-09-13T13:00:00Z"}""";

    private readonly string topic = TestEnvironment.UniqueName("trips");
    private readonly List<Trip> trips = [.. Enumerable.Range(0, 2_000).Select(i => new Trip($"A{i * 7 % 5}", $"B{i * 3 % 4}", i, i * 11 % 60, ServingLab.StartUs + (i * 1_000_000L)))];
    private readonly HttpClient http = new();
    private readonly List<IHost> hosts = [];

    private RedisStateStore Store => new(redis.Connection);

    public async ValueTask DisposeAsync()
    {
        http.Dispose();
        foreach (var host in hosts.ToList())
            await StopAsync(host);
    }

    [Fact]
    public async Task Rollout_ReadThroughTheQueryApiAllTheWhile_NoReadFailsAndTheFirstNewValueIsThatOfACleanRecompute()
    {
        var stop = TestContext.Current.CancellationToken;
        using var files = new CatalogFiles("delay >= 0", topic, twoLogs: false);
        await using var registry = await EmbeddedRegistry.StartAsync(cancellationToken: stop);
        using var schemas = new SchemaRegistryClient(registry.Url);
        var before = files.Load();
        using (var admin = new TopicAdmin(kafka.Endpoint))
            await admin.EnsureTopicAsync(topic, 3, stop);
        var worker = await StartAsync(b => AddWorker(b.Services, before, schemas));
        await ProduceAsync(schemas, trips[..800]);
        await Eventually.Until(() => IsAtAsync(before, 800), () => "the worker is not at 800");
        var reader = await StartAsync(b => AddReader(b.Services, before, files.Path));
        http.BaseAddress = new Uri(reader.Services.GetRequiredService<FeatureApiServer>().Address);
        using var done = new CancellationTokenSource();
        var first = await ReadAsync();

        files.Put("delay >= 20"); // before there is anything of it
        var after = files.Load();
        var reading = Enumerable.Range(0, 2).Select(_ => ReadOnAsync(first, done.Token)).ToList();
        var options = new StreamFeaturesOptions { GroupId = $"features.{topic}" };
        var rollout = new Rollout(after, before, kafka.Endpoint, Store, schemas, options, TimeProvider.System, NullLoggerFactory.Instance).RunAsync(stay: true, stop);
        await ProduceAsync(schemas, trips[800..1_200]);
        await Eventually.Until(async () => Hash(await ReadAsync()) == ServiceHash(after), () => rollout.Exception?.ToString() ?? "the reader did not change");
        await ProduceAsync(schemas, trips[1_200..1_600]);
        await StopAsync(worker);
        await StartAsync(b => AddWorker(b.Services, after, schemas));
        (await rollout.WaitAsync(TimeSpan.FromMinutes(1), stop)).ShouldBeTrue();
        await ProduceAsync(schemas, trips[1_600..]);
        await Eventually.Until(() => IsAtAsync(after, 2_000), () => "the successor is not at 2000");
        await done.CancelAsync();

        foreach (var answers in await Task.WhenAll(reading))
        {
            var switched = answers.FindIndex(a => Hash(a) == ServiceHash(after));
            switched.ShouldBeGreaterThan(0);
            answers[..switched].ShouldAllBe(a => Hash(a) == ServiceHash(before));
            answers[switched..].ShouldAllBe(a => Hash(a) == ServiceHash(after));
            NextOffsetsOf(answers).ShouldBeInOrder();
            await Recompute.ShouldEqualAsync(answers[switched], after, trips, Query);
            await Recompute.ShouldEqualAsync(answers[^1], after, trips, Query);
        }
    }

    private static string ServiceHash(Catalog catalog) => CanonicalForm.ServiceHash(catalog.Service("both"), catalog);

    private static string Hash(JsonElement answer) => answer.GetProperty("hash").GetString()!;

    /// <summary>Of the second view, so of one version after the other.</summary>
    private static IEnumerable<long> NextOffsetsOf(IEnumerable<JsonElement> answers) =>
        answers.GroupBy(Hash).SelectMany((g, version) => g.Select(a => (version * 1_000_000L) + a.GetProperty("rows")[0].GetProperty("views")[1].GetProperty("nextOffset").GetInt64()));

    private async Task<IHost> StartAsync(Action<HostApplicationBuilder> add)
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Logging.SetMinimumLevel(LogLevel.None);
        builder.Services.AddSingleton<IStateStore>(Store);
        add(builder);
        var host = builder.Build();
        hosts.Add(host);
        await host.StartAsync(TestContext.Current.CancellationToken);
        return host;
    }

    private async Task StopAsync(IHost host)
    {
        await host.StopAsync(CancellationToken.None);
        host.Dispose();
        hosts.Remove(host);
    }

    private void AddWorker(IServiceCollection services, Catalog catalog, SchemaRegistryClient schemas)
    {
        services.AddSingleton(catalog).AddSingleton(kafka.Endpoint).AddSingleton(schemas).AddStreamFeatures();
        services.Configure<StreamFeaturesOptions>(o => o.GroupId = $"features.{topic}");
    }

    private static void AddReader(IServiceCollection services, Catalog catalog, string path)
    {
        services.AddSingleton(catalog);
        services.AddFeatureApi(o => o.Url = "http://127.0.0.1:0");
        services.AddCatalogWatch(o => (o.Path, o.WatchMs) = (path, 100));
    }

    private async Task ProduceAsync(SchemaRegistryClient schemas, IReadOnlyList<Trip> part)
    {
        var id = await schemas.RegisterAsync($"{topic}-value", ServingLab.Avro, TestContext.Current.CancellationToken);
        await using var producer = new KafkaProducerFactory(kafka.Endpoint).Create();
        foreach (var trip in part)
            await producer.SendAsync(topic, Encoding.UTF8.GetBytes(trip.Origin), TripAvro.Encode(id, trip.Origin, trip.Dest, trip.Number, trip.AtUs, trip.Delay!.Value), trip.AtUs, null, TestContext.Current.CancellationToken);
        await producer.FlushAsync(TestContext.Current.CancellationToken);
    }

    private async Task<bool> IsAtAsync(Catalog catalog, long records)
    {
        foreach (var program in ViewProgram.CompileAll(catalog))
        {
            using var values = await Store.ReadAsync(
                Enumerable.Range(0, 3).Select(p => LogNames.PositionKey(new PartitionId(program.Log, p), program.View.Name, program.Hash8)), TestContext.Current.CancellationToken);
            if (Enumerable.Range(0, 3).Sum(p => values.Has(p) ? PositionRecord.Decode(values[p]).NextOffset : 0) < records)
                return false;
        }

        return true;
    }

    private Task<JsonElement> ReadAsync() => FeatureQuery.ReadAsync(http, Query);

    private async Task<List<JsonElement>> ReadOnAsync(JsonElement first, CancellationToken until)
    {
        var answers = new List<JsonElement> { first };
        while (!until.IsCancellationRequested)
            answers.Add(await ReadAsync());
        return answers;
    }
}
