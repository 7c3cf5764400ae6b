using System.Net;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using StreamMl.Infrastructure.Embedded;
using StreamMl.Infrastructure.Kafka;
using StreamMl.Infrastructure.Registry;
using StreamMl.Ingestors.Http;
using StreamMl.Shared.Definitions;
using StreamMl.Shared.Log;

namespace StreamMl.Ingestors.Tests.Http;

public sealed class HttpIngestTests : IAsyncLifetime
{
    private const string Good = """{"card":"c1","at":"2013-01-01T00:00:00Z","count":3,"amount":2.5}""";
    private const string Bad = """{"card":"c1","at":"2013-01-01T00:00:00Z","count":"three"}""";
    private readonly HttpIngestOptions options = new() { Url = "http://127.0.0.1:0", BodyMaxBytes = 100_000, RecordsMax = 50, InFlightMaxBytes = 1024 };
    private readonly HttpClient http = new();
    private EmbeddedKafka kafka = null!;
    private EmbeddedRegistry registry = null!;
    private SchemaRegistryClient client = null!;
    private HttpIngestServer server = null!;

    public async ValueTask InitializeAsync()
    {
        (kafka, registry) = (EmbeddedKafka.Start(), await EmbeddedRegistry.StartAsync(cancellationToken: Cancel));
        client = new SchemaRegistryClient(registry.Url);
        server = new HttpIngestServer(new Catalog("test", [TestSources.Taps], [], [], []), KafkaEndpoint.Of(kafka), client, Options.Create(options), TimeProvider.System, NullLogger<HttpIngestServer>.Instance);
        await server.StartAsync(Cancel);
    }

    public async ValueTask DisposeAsync()
    {
        await server.StopAsync(CancellationToken.None);
        await server.DisposeAsync();
        http.Dispose();
        client.Dispose();
        await kafka.DisposeAsync();
        await registry.DisposeAsync();
    }

    [Fact]
    public async Task Post_OneObject_IsDeliveredWithItsPlace()
    {
        var (status, answer) = await PostAsync(Good);
        status.ShouldBe(HttpStatusCode.Accepted);
        var result = answer.GetProperty("results")[0];
        result.GetProperty("status").GetString().ShouldBe("accepted");
        result.GetProperty("partition").GetInt32().ShouldBe(KeyPartitioner.PartitionOf("c1"u8, 2));
        result.GetProperty("offset").GetInt64().ShouldBe(0);
    }

    [Theory]
    [InlineData("application/json", "[" + Good + "," + Bad + ", " + Good + "]")]
    [InlineData("application/x-ndjson", Good + "\n" + Bad + "\r\n\n" + Good)]
    public async Task Post_Batch_SaysForEachRecord(string type, string body)
    {
        var (status, answer) = await PostAsync(body, type);
        status.ShouldBe(HttpStatusCode.Accepted);
        (answer.GetProperty("accepted").GetInt32(), answer.GetProperty("rejected").GetInt32()).ShouldBe((2, 1));
        answer.GetProperty("results")[1].GetProperty("error").GetString().ShouldNotBeNull().ShouldContain("count");
        using var admin = new TopicAdmin(KafkaEndpoint.Of(kafka));
        (await admin.OffsetsAsync(new PartitionId("taps.dead-letter", 0), Cancel)).High.ShouldBe(1);
    }

    [Theory]
    [InlineData(Bad, "three")]
    [InlineData("{\"card\":\"c1\",\"at\":\"2013-01-01T00:00:00Z\",\"count\":3,\"colour\":1}", "colour")]
    [InlineData("{\"card\":\"c1\",\"at\":\"2913-01-01T00:00:00Z\",\"count\":3}", "maxFutureSkew")]
    [InlineData("{\"card\":", "JSON")]
    [InlineData("[1,", "no JSON array")]
    [InlineData("", "the body is empty")]
    public async Task Post_NothingGood_IsRefusedWithTheReason(string body, string expected)
    {
        var (status, answer) = await PostAsync(body);
        status.ShouldBe(HttpStatusCode.BadRequest);
        answer.GetRawText().ShouldContain(expected);
    }

    [Fact]
    public async Task Post_UnknownSource_NamesTheKnown()
    {
        using var answer = await http.PostAsync(new Uri($"{server.Url}/v1/events/tabs"), Content(Good, "application/json"), Cancel);
        answer.StatusCode.ShouldBe(HttpStatusCode.NotFound);
        (await answer.Content.ReadAsStringAsync(Cancel)).ShouldContain("taps");
    }

    [Fact]
    public async Task Post_TooMuch_Is413WithTheLimit()
    {
        var (status, answer) = await PostAsync($"[{string.Join(',', Enumerable.Repeat(Good, 51))}]");
        status.ShouldBe(HttpStatusCode.RequestEntityTooLarge);
        answer.GetRawText().ShouldContain("51 records and at most 50");
        (status, answer) = await PostAsync(new string(' ', 100_001));
        status.ShouldBe(HttpStatusCode.RequestEntityTooLarge);
        answer.GetRawText().ShouldContain("at most 100000");
    }

    [Fact]
    public async Task Post_WhileTooMuchIsUnderWay_Is429()
    {
        var slow = new SlowContent(Encoding.UTF8.GetBytes(Good), declared: 2000);
        var first = http.PostAsync(new Uri($"{server.Url}/v1/events/taps"), slow, Cancel);
        await slow.Started;
        await TestKit.Eventually.Until(async () => (await PostAsync(Good)).Status == HttpStatusCode.TooManyRequests, () => "the second request was taken");
        slow.Finish();
        using var answer = await first;
        answer.StatusCode.ShouldBe(HttpStatusCode.Accepted);
        await TestKit.Eventually.Until(async () => (await PostAsync(Good)).Status == HttpStatusCode.Accepted, () => "room was not given back");
    }

    [Fact]
    public async Task Post_AgainWithItsIdempotencyKey_RepeatsTheAnswer()
    {
        var (_, first) = await PostAsync(Good, key: "k1");
        var (status, again) = await PostAsync(Good, key: "k1");
        status.ShouldBe(HttpStatusCode.Accepted);
        again.GetRawText().ShouldBe(first.GetRawText());
        var (_, other) = await PostAsync(Good, key: "k2");
        other.GetProperty("results")[0].GetProperty("offset").GetInt64().ShouldBe(1);
    }

    [Fact]
    public async Task Health_AllWell_IsOk() => (await http.GetStringAsync(new Uri($"{server.Url}/health"), Cancel)).ShouldContain("ok");

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private static StringContent Content(string body, string type) => new(body, Encoding.UTF8, type);

    private async Task<(HttpStatusCode Status, JsonElement Answer)> PostAsync(string body, string type = "application/json", string? key = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, $"{server.Url}/v1/events/taps") { Content = Content(body, type) };
        if (key is not null)
            request.Headers.Add("Idempotency-Key", key);
        using var answer = await http.SendAsync(request, Cancel);
        using var json = JsonDocument.Parse(await answer.Content.ReadAsByteArrayAsync(Cancel));
        return (answer.StatusCode, json.RootElement.Clone());
    }

    /// <summary>A body whose second half comes when the test says so.</summary>
    private sealed class SlowContent(byte[] body, int declared) : HttpContent
    {
        private readonly TaskCompletionSource started = new();
        private readonly TaskCompletionSource finish = new();

        public Task Started => started.Task;

        public void Finish() => finish.SetResult();

        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            await stream.WriteAsync(body);
            await stream.FlushAsync();
            started.SetResult();
            await finish.Task;
            await stream.WriteAsync(Encoding.ASCII.GetBytes(new string(' ', declared - body.Length)));
        }

        protected override bool TryComputeLength(out long length)
        {
            length = declared;
            return true;
        }
    }
}
