using System.Diagnostics.Metrics;
using Microsoft.Extensions.Logging.Abstractions;
using StreamMl.Infrastructure.Embedded;
using StreamMl.Infrastructure.Hosting;
using StreamMl.Infrastructure.Kafka;
using StreamMl.Shared.Store;
using StreamMl.TestKit.Store;

namespace StreamMl.Infrastructure.Tests.Hosting;

public sealed class OpsServerTests
{
    [Fact]
    public async Task Metrics_OfMetersOfTheProduct_AreInPrometheusText()
    {
        await using var kafka = EmbeddedKafka.Start();
        await using var ops = await StartAsync(new InMemoryStateStore(), kafka);
        using var meter = new Meter("StreamMl.Probe");
        meter.CreateCounter<long>("streamml.probe.records", "{record}").Add(7, new KeyValuePair<string, object?>("log", "landings"));
        (int Status, string Text) answer = (0, "");
        await TestKit.Eventually.Until(async () => (answer = await GetAsync(ops, "/metrics")).Text.Contains("streamml_probe_records", StringComparison.Ordinal), () => answer.ToString());
        answer.Text.Split('\n').ShouldContain(line => line.StartsWith("streamml_probe_records_total{", StringComparison.Ordinal) && line.Contains("log=\"landings\"", StringComparison.Ordinal) && line.Contains(" 7", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Ready_WhereStoreAndKafkaAnswer_AndNotWhereTheStoreIsAway()
    {
        await using var kafka = EmbeddedKafka.Start();
        await using var ready = await StartAsync(new InMemoryStateStore(), kafka);
        (await GetAsync(ready, "/readyz")).Status.ShouldBe(200);
        await using var lost = await StartAsync(new LostStore(), kafka);
        (await GetAsync(lost, "/healthz")).Status.ShouldBe(200);
        var (status, text) = await GetAsync(lost, "/readyz");
        status.ShouldBe(503);
        text.ShouldContain("the store does not answer: planted");
    }

    private static async Task<OpsServer> StartAsync(IStateStore store, EmbeddedKafka kafka)
    {
        var ops = new OpsServer("http://127.0.0.1:0", store, KafkaEndpoint.Of(kafka), NullLogger<OpsServer>.Instance);
        await ops.StartAsync(TestContext.Current.CancellationToken);
        return ops;
    }

    private static async Task<(int Status, string Text)> GetAsync(OpsServer ops, string path)
    {
        using var http = new HttpClient();
        using var answer = await http.GetAsync(new Uri(ops.Url + path), TestContext.Current.CancellationToken);
        return ((int)answer.StatusCode, await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
    }

    private sealed class LostStore : IStateStore
    {
        public Task<StoreValues> ReadAsync(PackedBytes keys, CancellationToken cancellationToken) => throw new StoreUnavailableException("planted", null);

        public Task<CommitResult> CommitAsync(StoreCommit commit, CancellationToken cancellationToken) => throw new StoreUnavailableException("planted", null);
    }
}
