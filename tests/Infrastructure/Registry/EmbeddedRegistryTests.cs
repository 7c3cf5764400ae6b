using System.Net;
using System.Text;
using Avro;
using Avro.Generic;
using Confluent.Kafka;
using Confluent.SchemaRegistry;
using Confluent.SchemaRegistry.Serdes;
using StreamMl.Infrastructure.Embedded;
using StreamMl.Infrastructure.Registry;
using StreamMl.TestKit.Servers;
using OurClient = StreamMl.Infrastructure.Registry.SchemaRegistryClient;
using Schema = Confluent.SchemaRegistry.Schema;

namespace StreamMl.Infrastructure.Tests.Registry;

public sealed class EmbeddedRegistryTests : IAsyncLifetime
{
    private const string First = """{"type":"record","name":"R","fields":[{"name":"a","type":"int"}]}""";
    private const string Second = """{"type":"record","name":"R","fields":[{"name":"a","type":"int"},{"name":"b","type":["null","string"],"default":null}]}""";
    private const string Incompatible = """{"type":"record","name":"R","fields":[{"name":"a","type":"string"}]}""";
    private EmbeddedRegistry registry = null!;
    private CachedSchemaRegistryClient confluent = null!;
    private OurClient ours = null!;
    private HttpClient http = null!;

    public async ValueTask InitializeAsync()
    {
        registry = await EmbeddedRegistry.StartAsync();
        confluent = new(new SchemaRegistryConfig { Url = registry.Url });
        ours = new(registry.Url);
        http = new() { BaseAddress = new Uri(registry.Url) };
    }

    public async ValueTask DisposeAsync()
    {
        confluent.Dispose();
        ours.Dispose();
        http.Dispose();
        await registry.DisposeAsync();
    }

    [Fact]
    public async Task Confluent_RegisterAndRead_RoundTrips()
    {
        int id = await confluent.RegisterSchemaAsync("s-value", new Schema(First, SchemaType.Avro));
        (await confluent.RegisterSchemaAsync("other", new Schema(First, SchemaType.Avro))).ShouldBe(id);
        (await confluent.GetSchemaAsync(id)).SchemaString.ShouldBe(First);
        int second = await confluent.RegisterSchemaAsync("s-value", new Schema(Second, SchemaType.Avro));
        second.ShouldNotBe(id);
        var latest = await confluent.GetLatestSchemaAsync("s-value");
        (latest.Version, latest.Id, latest.Subject).ShouldBe((2, second, "s-value"));
        (await confluent.LookupSchemaAsync("s-value", new Schema(First, SchemaType.Avro), ignoreDeletedSchemas: true)).Version.ShouldBe(1);
        (await confluent.GetAllSubjectsAsync()).ShouldBe(["other", "s-value"]);
        (await confluent.GetSubjectVersionsAsync("s-value")).ShouldBe([1, 2]);
        (await confluent.GetRegisteredSchemaAsync("s-value", 1)).SchemaString.ShouldBe(First);
    }

    [Fact]
    public async Task Confluent_IncompatibleSchema_IsRefusedWith409()
    {
        await confluent.RegisterSchemaAsync("s", new Schema(First, SchemaType.Avro));
        (await confluent.IsCompatibleAsync("s", new Schema(Second, SchemaType.Avro))).ShouldBeTrue();
        (await confluent.IsCompatibleAsync("s", new Schema(Incompatible, SchemaType.Avro))).ShouldBeFalse();
        var error = await Should.ThrowAsync<SchemaRegistryException>(confluent.RegisterSchemaAsync("s", new Schema(Incompatible, SchemaType.Avro)));
        (error.Status, error.ErrorCode).ShouldBe((HttpStatusCode.Conflict, 409));
        error.Message.ShouldContain("/a: ");
        (await confluent.UpdateCompatibilityAsync(Compatibility.None, "s")).ShouldBe(Compatibility.None);
        (await confluent.GetCompatibilityAsync("s")).ShouldBe(Compatibility.None);
        await confluent.RegisterSchemaAsync("s", new Schema(Incompatible, SchemaType.Avro));
        (await confluent.GetCompatibilityAsync()).ShouldBe(Compatibility.Backward);
    }

    [Fact]
    public async Task Confluent_AvroSerializer_RoundTripsThroughIt()
    {
        var schema = (RecordSchema)global::Avro.Schema.Parse(Second);
        var record = new GenericRecord(schema);
        record.Add("a", 7);
        record.Add("b", "text");
        var context = new SerializationContext(MessageComponentType.Value, "topic");
        byte[] bytes = await new AvroSerializer<GenericRecord>(confluent).SerializeAsync(record, context);
        bytes[0].ShouldBe((byte)0);
        using var other = new CachedSchemaRegistryClient(new SchemaRegistryConfig { Url = registry.Url });
        var read = await new AvroDeserializer<GenericRecord>(other).DeserializeAsync(bytes, false, context);
        (read["a"], read["b"]).ShouldBe((7, "text"));
        (await ours.LatestAsync("topic-value", CancellationToken.None)).ShouldNotBeNull().Id.ShouldBe(bytes[4]);
    }

    [Fact]
    public async Task Register_SameSchemaOtherwiseWritten_IsTheSameVersion()
    {
        int id = await ours.RegisterAsync("s", First, CancellationToken.None);
        (await ours.RegisterAsync("s", """{ "name":"R", "fields":[ {"type":"int","name":"a"} ], "type":"record" }""", CancellationToken.None)).ShouldBe(id);
        (await ours.RegisterAsync("s", First.Replace("\"name\":\"R\"", "\"name\":\"R\",\"doc\":\"d\""), CancellationToken.None)).ShouldNotBe(id);
        (await ours.LatestAsync("s", CancellationToken.None))!.Version.ShouldBe(2);
    }

    [Fact]
    public async Task Ours_ErrorsAndAbsence_AreTold()
    {
        (await ours.LatestAsync("none", CancellationToken.None)).ShouldBeNull();
        (await ours.CheckCompatibilityAsync("none", First, CancellationToken.None)).ShouldBeEmpty();
        (await Should.ThrowAsync<RegistryException>(async () => await ours.GetSchemaAsync(99, CancellationToken.None))).ErrorCode.ShouldBe(40403);
        (await Should.ThrowAsync<RegistryException>(async () => await ours.RegisterAsync("s", "{\"type\":\"recor\"}", CancellationToken.None))).ErrorCode.ShouldBe(42201);
        await ours.RegisterAsync("s", First, CancellationToken.None);
        (await ours.CheckCompatibilityAsync("s", Incompatible, CancellationToken.None)).ShouldHaveSingleItem().ShouldContain("/a: ");
        (await ours.CheckCompatibilityAsync("s", Second, CancellationToken.None)).ShouldBeEmpty();
    }

    [Theory]
    [InlineData("GET", "/associations/resources/-/topic?resourceType=topic", null, 404, null)]
    [InlineData("GET", "/config/none", null, 404, "40408")]
    [InlineData("GET", "/config/none?defaultToGlobal=True", null, 200, "\"compatibilityLevel\":\"BACKWARD\"")]
    [InlineData("PUT", "/config", "{\"compatibility\":\"FULL\"}", 200, "{\"compatibility\":\"FULL\"}")]
    [InlineData("PUT", "/config", "{\"compatibility\":\"SOME\"}", 422, "42203")]
    [InlineData("GET", "/schemas/types", null, 200, "[\"AVRO\"]")]
    [InlineData("GET", "/contexts", null, 200, "[\".\"]")]
    [InlineData("GET", "/subjects/none/versions?unknown=1", null, 404, "40401")]
    [InlineData("GET", "/subjects/none/versions/zero", null, 422, "42202")]
    [InlineData("POST", "/subjects/a%2Fb/versions", "{\"schema\":\"\\\"string\\\"\"}", 200, "{\"id\":1}")]
    [InlineData("POST", "/subjects/s/versions", "no json", 400, "400")]
    [InlineData("POST", "/subjects/s/versions", "{\"schema\":5}", 422, "42201")]
    [InlineData("POST", "/subjects/s/versions", "{\"schema\":\"{}\",\"schemaType\":\"JSON\"}", 422, "AVRO only")]
    public async Task Http_Quirk_IsAnsweredAsClientsExpect(string method, string path, string? body, int status, string? contains)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        request.Headers.TryAddWithoutValidation("Accept", "text/html, image/gif");
        if (body is not null) request.Content = new StringContent(body, Encoding.UTF8, "application/octet-stream");
        using var response = await http.SendAsync(request);
        string text = await response.Content.ReadAsStringAsync();
        ((int)response.StatusCode).ShouldBe(status, text);
        if (status >= 400) text.ShouldContain("\"error_code\"");
        if (contains is not null) text.ShouldContain(contains);
    }

    [Fact]
    public async Task Delete_SoftThenPermanent_GoesInTwoSteps()
    {
        await ours.RegisterAsync("s", First, CancellationToken.None);
        (await SendAsync("DELETE", "/subjects/s?permanent=true")).ShouldContain("40405");
        (await SendAsync("DELETE", "/subjects/s")).ShouldBe("[1]");
        (await SendAsync("DELETE", "/subjects/s")).ShouldContain("40404");
        (await SendAsync("GET", "/subjects?deleted=true")).ShouldBe("[\"s\"]");
        (await SendAsync("GET", "/subjects")).ShouldBe("[]");
        (await SendAsync("DELETE", "/subjects/s?permanent=True")).ShouldBe("[1]");
        (await SendAsync("GET", "/subjects?deleted=true")).ShouldBe("[]");
        (await SendAsync("GET", "/schemas/ids/1")).ShouldContain("record");
    }

    [Fact]
    public async Task Start_OnTheSameDirectory_KnowsEverythingAndDropsATornLine()
    {
        string directory = TestEnvironment.TemporaryDirectory("registry");
        int id;
        await using (var first = await EmbeddedRegistry.StartAsync(directory))
        {
            using var client = new OurClient(first.Url);
            await client.RegisterAsync("other", Second, CancellationToken.None);
            id = await client.RegisterAsync("s", First, CancellationToken.None);
        }

        await File.AppendAllTextAsync(Path.Combine(directory, RegistryJournal.FileName), "{\"change\":\"regis");
        await using var second = await EmbeddedRegistry.StartAsync(directory);
        using var again = new OurClient(second.Url);
        (await again.LatestAsync("s", CancellationToken.None)).ShouldBe(new StreamMl.Infrastructure.Registry.RegisteredSchema("s", 1, id, First));
        (await again.RegisterAsync("s", Second, CancellationToken.None)).ShouldBe(1);
        (await again.RegisterAsync("third", "\"string\"", CancellationToken.None)).ShouldBe(3);
        await second.DisposeAsync();
        (await File.ReadAllLinesAsync(Path.Combine(directory, RegistryJournal.FileName))).Length.ShouldBe(4);
        Directory.Delete(directory, recursive: true);
    }

    private async Task<string> SendAsync(string method, string path)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        using var response = await http.SendAsync(request);
        return await response.Content.ReadAsStringAsync();
    }
}
