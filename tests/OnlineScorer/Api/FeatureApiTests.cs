using System.Text;
using StreamMl.Shared.Client;
using StreamMl.Shared.Log;
using StreamMl.Shared.Store;

namespace StreamMl.OnlineScorer.Tests.Api;

public sealed class FeatureApiTests
{
    private const string AsOf = "2020-09-13T12:30:00Z"; // StartUs is 12:26:40

    [Fact]
    public async Task Post_TwoEntities_AnswersValuesAndWhereTheyComeFrom()
    {
        await using var api = await StartWithTripsAsync();
        var (status, json) = await api.PostAsync($$"""{"service":"picked","entities":[{"origin":"JFK","dest":"LAX"},{"dest":"MIA","origin":"EWR"}],"asOf":"{{AsOf}}"}""");
        status.ShouldBe(200);
        json.GetProperty("names").EnumerateArray().Select(n => n.GetString()).ShouldBe(
            ["by_dest.last_dest", "by_origin.count_1h", "by_dest.mean_delay_1h", "by_origin.last_k_delay_2_1", "by_origin.last_k_delay_2_2"], ignoreOrder: false);
        var row = json.GetProperty("rows")[0];
        row.GetProperty("values").GetRawText().ShouldBe("""["LAX",2,10,15,5]""");
        row.GetProperty("entity").GetRawText().ShouldBe("""{"dest":"LAX","origin":"JFK"}""");
        var view = row.GetProperty("views")[1];
        view.GetProperty("view").GetString().ShouldBe("by_origin");
        view.GetProperty("log").GetString().ShouldBe("trips");
        view.GetProperty("definition").GetString().ShouldBe(api.Lab.Program("by_origin").Hash8);
        view.GetProperty("nextOffset").GetInt64().ShouldBeGreaterThan(0);
        view.GetProperty("ageSeconds").GetDouble().ShouldBe(140);
        view.GetProperty("shifted").GetBoolean().ShouldBeFalse();
        view.GetProperty("coverage").GetDouble().ShouldBe(200.0 / 3600, 1e-9);
        json.GetProperty("rows")[1].GetProperty("values").GetRawText().ShouldBe("[null,0,null,null,null]");
    }

    [Fact]
    public async Task Post_StoreBeganAfterTheLogsFirstOffset_LifetimeIsNotWhollyCovered()
    {
        await using var api = await StartWithTripsAsync();
        var body = $$"""{"service":"picked","entities":[{"origin":"JFK","dest":"LAX"}],"asOf":"{{AsOf}}"}""";
        var (_, whole) = await api.PostAsync(body);
        var before = whole.GetProperty("rows")[0].GetProperty("views")[0];
        before.GetProperty("partialWindows").TryGetProperty("lifetime", out _).ShouldBeFalse();
        before.TryGetProperty("fromOffset", out _).ShouldBeFalse();
        var log = new PartitionId(before.GetProperty("log").GetString()!, before.GetProperty("partition").GetInt32());
        var next = before.GetProperty("nextOffset").GetInt64();
        next.ShouldBeGreaterThan(1);
        var key = Encoding.UTF8.GetBytes(LogNames.PositionKey(log, "by_dest", api.Lab.Program("by_dest").Hash8));
        await BeginLateAsync(api.Lab.Store, log, key, next - 1);

        var (_, late) = await api.PostAsync(body);

        var view = late.GetProperty("rows")[0].GetProperty("views")[0];
        view.GetProperty("fromOffset").GetInt64().ShouldBe(next - 1);
        view.GetProperty("partialWindows").GetProperty("lifetime").GetDouble().ShouldBe(Math.Round(1.0 / next, 6));
        view.GetProperty("coverage").GetDouble().ShouldBeLessThanOrEqualTo(1.0 / next);
    }

    [Fact]
    public async Task Post_FeatureList_ReadsTheNamedOnes()
    {
        await using var api = await StartWithTripsAsync();
        var (status, json) = await api.PostAsync("""{"features":["overall.count_1h","by_number.*"],"entities":[{"number":7}],"asOf":"latest"}""");
        status.ShouldBe(200);
        json.GetProperty("rows")[0].GetProperty("values")[0].GetInt64().ShouldBe(2);
        json.GetProperty("rows")[0].GetProperty("entity").GetRawText().ShouldBe("""{"number":7}""");
        json.GetProperty("names").GetArrayLength().ShouldBe(7);
    }

    [Theory]
    [InlineData("""{"service":"nosuch","entities":[]}""", 404, "no-such-service", "picked")]
    [InlineData("""{"entities":[]}""", 400, "bad-request", "name one of the two")]
    [InlineData("""{"service":"picked"}""", 400, "bad-request", "origin (String)")]
    [InlineData("""{"service":"picked","entities":[{"origin":"JFK"}]}""", 400, "missing-key", "origin (String)")]
    [InlineData("""{"service":"picked","entities":[{"origin":1,"dest":"x"}]}""", 400, "bad-key", "quotes")]
    [InlineData("""{"service":"picked","entities":[{"origin":"a","dest":"x","city":1}]}""", 400, "unknown-key", "origin (String)")]
    [InlineData("""{"service":"picked","entities":[],"asOf":1600000000}""", 400, "bad-time", "microseconds")]
    [InlineData("""{"service":"picked","entities":[],"asOf":"2020-09-13T12:30:00"}""", 400, "bad-time", "zone")]
    [InlineData("""{"service":"picked","entities":[],"asof":1}""", 400, "unknown-member", "asOf")]
    [InlineData("""{"features":["by_dest.nope"],"entities":[]}""", 400, "no-such-feature", "count_1h")]
    [InlineData("""{"service":"picked","entities":[""", 400, "bad-json", "entities")]
    [InlineData("[1]", 400, "bad-request", "entities")]
    public async Task Post_BadRequest_SaysWhatWasFoundAndWhatToDo(string body, int status, string code, string remedy)
    {
        await using var api = await StartWithTripsAsync();
        var (actual, json) = await api.PostAsync(body);
        actual.ShouldBe(status, json.GetRawText());
        json.GetProperty("type").GetString().ShouldBe($"urn:streamml:{code}");
        json.GetProperty("remedy").GetString()!.ShouldContain(remedy);
    }

    [Fact]
    public async Task Post_TooManyEntities_NamesTheLimit()
    {
        await using var api = await ApiLab.StartAsync(o => o.MaxEntities = 1);
        var (status, json) = await api.PostAsync("""{"service":"picked","entities":[{"origin":"a","dest":"b"},{"origin":"a","dest":"b"}]}""");
        status.ShouldBe(413);
        json.GetProperty("limit").GetString().ShouldBe("1");
        json.GetProperty("value").GetString().ShouldBe("2");
    }

    [Fact]
    public async Task Post_BodyTooLarge_IsAProblemToo()
    {
        await using var api = await ApiLab.StartAsync(o => o.MaxBodyBytes = 1024);
        var (status, _) = await api.PostAsync(new string(' ', 5000) + "{}");
        status.ShouldBe(413);
    }

    [Fact]
    public async Task Post_ViewNeverRan_IsServiceUnavailable()
    {
        await using var api = await ApiLab.StartAsync();
        var (status, json) = await api.PostAsync("""{"service":"picked","entities":[{"origin":"a","dest":"b"}]}""");
        status.ShouldBe(503);
        json.GetProperty("type").GetString().ShouldBe("urn:streamml:view-not-ready");
    }

    [Fact]
    public async Task Get_ServicesViewsAndHealth_SayWhatThereIs()
    {
        await using var api = await StartWithTripsAsync();
        var (_, services) = await api.GetAsync("/v1/services");
        services.GetProperty("services")[1].GetProperty("keys")[0].GetProperty("name").GetString().ShouldBe("dest");
        var (_, service) = await api.GetAsync("/v1/services/picked");
        service.GetProperty("features")[3].GetProperty("aggregation").GetString().ShouldBe("last_k(delay, 2)");
        var (_, views) = await api.GetAsync("/v1/views/by_origin");
        views.GetProperty("views")[0].GetProperty("positions").GetArrayLength().ShouldBe(3);
        (await api.GetAsync("/healthz")).Status.ShouldBe(200);
        var (ready, readiness) = await api.GetAsync("/readyz");
        ready.ShouldBe(200);
        readiness.GetProperty("viewsThatNeverRan").GetArrayLength().ShouldBe(0);
        (await api.GetAsync("/v1/views/nope")).Status.ShouldBe(404);
        (await api.GetAsync("/nope")).Json.GetProperty("status").GetInt32().ShouldBe(404);
        (await api.Http.GetStringAsync("/", TestContext.Current.CancellationToken)).ShouldStartWith("<!doctype html>");
    }

    [Fact]
    public async Task Client_ReadsTypedValuesAndErrors()
    {
        await using var api = await StartWithTripsAsync();
        var client = new StreamMlClient(api.Http);
        var entity = new Dictionary<string, object?> { ["origin"] = "JFK", ["dest"] = null };
        var vector = await client.GetFeaturesAsync("picked", entity, FeatureTime.At(new DateTime(2020, 9, 13, 12, 30, 0, DateTimeKind.Utc)), TestContext.Current.CancellationToken);
        vector["by_origin.count_1h"].ShouldBe(2L);
        vector.GetDouble("by_dest.mean_delay_1h").ShouldBeNull();
        vector.Views[0].Partition.ShouldBeNull();
        vector.Views[1].Age.ShouldBe(TimeSpan.FromSeconds(140));
        var error = await Should.ThrowAsync<StreamMlException>(() => client.GetFeaturesAsync("nope", entity, cancellationToken: TestContext.Current.CancellationToken));
        error.Code.ShouldBe("no-such-service");
        error.Message.ShouldContain("picked");
    }

    private static async Task BeginLateAsync(IStateStore store, PartitionId log, byte[] positionKey, long from)
    {
        var keys = new PackedBytes();
        keys.Add(positionKey);
        using var values = await store.ReadAsync(keys, TestContext.Current.CancellationToken);
        var commit = new StoreCommit(log);
        commit.Set(positionKey, (PositionRecord.Decode(values[0]) with { FromOffset = from }).Encode());
        (await store.CommitAsync(commit, TestContext.Current.CancellationToken)).Status.ShouldBe(CommitStatus.Committed);
    }

    private static async Task<ApiLab> StartWithTripsAsync()
    {
        var api = await ApiLab.StartAsync();
        api.Lab.Apply(new Trip("JFK", "LAX", 7, 5, ServingLab.StartUs));
        api.Lab.Apply(new Trip("JFK", "LAX", 8, 15, ServingLab.StartUs + 60_000_000));
        await api.Lab.CommitAsync();
        return api;
    }
}
