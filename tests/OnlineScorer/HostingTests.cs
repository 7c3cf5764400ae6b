using System.Text;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using StreamMl.Infrastructure.Archive;
using StreamMl.Infrastructure.Embedded;
using StreamMl.Infrastructure.Kafka;
using StreamMl.Infrastructure.Redis;
using StreamMl.Infrastructure.Registry;
using StreamMl.Infrastructure.Store;
using StreamMl.OnlineScorer.Api;
using StreamMl.OnlineScorer.Reading;
using StreamMl.OnlineScorer.Tests.Triggers;
using StreamMl.OnlineScorer.Triggers;
using StreamMl.Shared.Client;
using StreamMl.Shared.Events;
using StreamMl.Shared.Log;
using StreamMl.Shared.Store;
using StreamMl.TestKit;

namespace StreamMl.OnlineScorer.Tests;

/// <summary>The workers as a composition root wires them, on the embedded servers.</summary>
public sealed class HostingTests
{
    private const int Events = 500;

    [Fact]
    public async Task Workers_OnEmbeddedServers_ServeTriggersAndQueries()
    {
        var stop = TestContext.Current.CancellationToken;
        await using var kafka = EmbeddedKafka.Start();
        await using var redis = EmbeddedRedis.Start();
        await using var registry = await EmbeddedRegistry.StartAsync(cancellationToken: stop);
        await using var connection = await RedisEndpoint.Of(redis).ConnectAsync(stop);
        using var schemas = new SchemaRegistryClient(registry.Url);
        var lab = new ServingLab(new RedisStateStore(connection));
        foreach (var topic in new[] { "trips", "schedules" })
            kafka.CreateTopic(topic, 3);
        for (var i = 0; i < 60; i++)
            lab.Apply(new Trip($"A{i % 7}", $"B{i % 5}", i % 3, i, ServingLab.StartUs + i));
        await lab.CommitAsync();
        await Schedules.ProduceAsync(KafkaEndpoint.Of(kafka), schemas, Events, stop);
        var directory = Path.Combine(AppContext.BaseDirectory, "hosting", Path.GetRandomFileName());
        using (var host = Build(lab, KafkaEndpoint.Of(kafka), connection, schemas, directory))
        {
            await host.StartAsync(stop);
            await QueryAsync(host.Services.GetRequiredService<FeatureApiServer>().Address);
            await Eventually.Until(async () => await ServedAsync(lab.Store) == Events, () => "not all served");
            await host.StopAsync(stop);
        }

        var vectors = ReadIds(lab, directory);
        vectors.Distinct().Count().ShouldBe(Events);
        vectors.Count.ShouldBe(Events);
        Directory.Delete(directory, recursive: true);
    }

    private static IHost Build(ServingLab lab, KafkaEndpoint kafka, StackExchange.Redis.IConnectionMultiplexer redis, SchemaRegistryClient schemas, string directory)
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Logging.SetMinimumLevel(LogLevel.None);
        builder.Services.AddSingleton(lab.Catalog).AddSingleton(lab.Store).AddSingleton<IStoreDirectory>(new RedisStoreDirectory(redis));
        builder.Services.AddSingleton(kafka).AddSingleton(schemas);
        builder.Services.AddFeatureApi(o => o.Url = "http://127.0.0.1:0");
        builder.Services.AddTriggerServing(o =>
        {
            o.Directory = directory;
            o.AlignOlderThanMs = 0;
            o.MaxBatch = 64;
        });
        return builder.Build();
    }

    private static async Task QueryAsync(string address)
    {
        using var http = new HttpClient { BaseAddress = new Uri(address) };
        var client = new StreamMlClient(http);
        var vectors = await client.GetFeatureListAsync(["by_origin.*", "overall.count_1h"], [new Dictionary<string, object?> { ["origin"] = "A0" }], FeatureTime.Latest, TestContext.Current.CancellationToken);
        vectors[0]["overall.count_1h"].ShouldBe(60L);
        vectors[0]["by_origin.count_1h"].ShouldBe(9L);
        (await http.GetStringAsync("/v1/views/by_origin/entities?limit=3", TestContext.Current.CancellationToken)).ShouldContain("\"origin\":\"A");
        (await http.GetStringAsync("/readyz", TestContext.Current.CancellationToken)).ShouldContain("ready");
    }

    private static async Task<long> ServedAsync(IStateStore store)
    {
        var keys = new PackedBytes();
        for (var p = 0; p < 3; p++)
            keys.Add(Encoding.UTF8.GetBytes($"{LogNames.HashTag(new PartitionId("schedules", p))}service.everything!pos"));
        using var values = await store.ReadAsync(keys, TestContext.Current.CancellationToken);
        return Enumerable.Range(0, 3).Sum(p => values.Has(p) ? PositionRecord.Decode(values[p]).NextOffset : 0);
    }

    private static List<(long, long)> ReadIds(ServingLab lab, string directory)
    {
        var ids = new List<(long, long)>();
        var service = ServedService.Compile(lab.Catalog, lab.Catalog.Service("everything"));
        using var reader = new ServedVectorReader(directory, ServedVectorSink.SchemaOf(service));
        var batch = new EventBatch(reader.Table);
        while (reader.Read(batch, 100))
        {
            for (var i = 0; i < batch.Count; i++)
                ids.Add((batch.Columns[1].Lanes[i], batch.Columns[2].Lanes[i]));
        }

        return ids;
    }
}
