using StreamMl.OnlineScorer.Scoring;
using StreamMl.OnlineScorer.Tests.Api;

namespace StreamMl.OnlineScorer.Tests.Scoring;

public sealed class PredictTests
{
    private const string AsOf = "2020-09-13T12:30:00Z"; // StartUs is 12:26:40
    private const string Row = """{"origin":"JFK","dest":"LAX","number":7}""";

    [Fact]
    public async Task Post_Rows_AnswersScoreDecisionAndWhereItComesFrom()
    {
        await using var api = await StartAsync();
        var version = await api.Models!.PublishAsync(0.5, "champion");
        await api.Models.RefreshAsync();
        var (status, json) = await api.PostAsync($$"""{"model":"late","rows":[{{Row}},{"dest":null,"number":null,"origin":"EWR"}],"asOf":"{{AsOf}}"}""", "/v1/predict");
        status.ShouldBe(200, json.GetRawText());
        json.GetProperty("version").GetString().ShouldBe(version.Version);
        json.GetProperty("variant").GetString().ShouldBe("champion");
        var first = json.GetProperty("predictions")[0];
        first.GetProperty("score").GetDouble().ShouldBe(ModelLab.ScoreOf(0.5, 2, "LAX", 10, 7, "LAX"));
        first.GetProperty("decision").GetString().ShouldBe("true");
        first.GetProperty("id").GetString()!.ShouldStartWith($"{version}/request/");
        first.GetProperty("views")[0].GetProperty("view").GetString().ShouldBe("by_origin");
        first.GetProperty("views")[0].GetProperty("ageSeconds").GetDouble().ShouldBe(140);
        json.GetProperty("predictions")[1].GetProperty("score").GetDouble().ShouldBe(ModelLab.ScoreOf(0.5, 0, null, 0, 0, null));
        var (_, again) = await api.PostAsync($$"""{"rows":[{{Row}}],"asOf":"{{AsOf}}"}""", "/v1/predict");
        again.GetProperty("predictions")[0].GetRawText().ShouldBe(first.GetRawText());
    }

    [Fact]
    public async Task Post_Explain_ContributionsAddUp()
    {
        await using var api = await StartAsync();
        await api.Models!.PublishAsync(0.5, "champion");
        await api.Models.RefreshAsync();
        var (_, json) = await api.PostAsync($$"""{"rows":[{{Row}}],"asOf":"{{AsOf}}","explain":true}""", "/v1/predict");
        var explanation = json.GetProperty("predictions")[0].GetProperty("explanation");
        var parts = explanation.GetProperty("contributions").EnumerateArray().ToList();
        parts.Select(p => p.GetProperty("input").GetString()).ShouldBe(ModelLab.Inputs.Select(i => i.Name));
        parts[1].GetProperty("value").GetString().ShouldBe("LAX");
        (explanation.GetProperty("base").GetDouble() + parts.Sum(p => p.GetProperty("contribution").GetDouble())).ShouldBe(explanation.GetProperty("total").GetDouble(), 1e-9);
    }

    [Theory]
    [InlineData("""{"asOf":"AT","rows":[{"number":7,"dest":"LAX","origin":"JFK"}],"model":"late"}""")]
    [InlineData("""{"rows":[{"origin":"\u004aFK","d\u0065st":"L\u0041X","number":7}],"asOf":"AT","explain":false}""")]
    [InlineData(""" { "rows" : [ { "origin" : "EWR", "origin" : "JFK", "dest" : "LAX", "number" : 7 } ], "model" : null, "asOf" : "AT" } """)]
    public async Task Post_TheSameRowWrittenOtherwise_GetsTheSamePrediction(string body)
    {
        await using var api = await StartAsync();
        await api.Models!.PublishAsync(0.5, "champion");
        await api.Models.RefreshAsync();
        var (_, expected) = await api.PostAsync($$"""{"rows":[{{Row}}],"asOf":"{{AsOf}}"}""", "/v1/predict");
        foreach (var padding in new[] { "", new string(' ', 100_000) })
        {
            var (status, json) = await api.PostAsync(body.Replace("AT", AsOf, StringComparison.Ordinal) + padding, "/v1/predict");
            status.ShouldBe(200, json.GetRawText());
            json.GetProperty("predictions").GetRawText().ShouldBe(expected.GetProperty("predictions").GetRawText());
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("""{"rows":[]} x""")]
    [InlineData("""{"rows":[{]}""")]
    [InlineData("""{"rows":[{"origin":"JF""")]
    [InlineData("""{"rows":[{"origin":"JFK",}]}""")]
    public async Task Post_NoJson_IsBadJsonWhereverItBreaks(string body)
    {
        await using var api = await StartAsync();
        await api.Models!.PublishAsync(0.5, "champion");
        await api.Models.RefreshAsync();
        var (status, json) = await api.PostAsync(body, "/v1/predict");
        status.ShouldBe(400);
        json.GetProperty("type").GetString().ShouldBe("urn:streamml:bad-json");
    }

    [Fact]
    public async Task Post_NestedValues_AreThatRowsProblemAlone()
    {
        await using var api = await StartAsync();
        await api.Models!.PublishAsync(0.5, "champion");
        await api.Models.RefreshAsync();
        var (_, json) = await api.PostAsync($$"""{"rows":[{"origin":{"a":[{}]},"dest":"LAX","number":7},[{"b":1}],{{Row}}],"asOf":"{{AsOf}}"}""", "/v1/predict");
        json.GetProperty("predictions").EnumerateArray().Select(r => r.TryGetProperty("error", out var e) ? e.GetProperty("code").GetString() : "ok").ShouldBe(["bad-key", "bad-row", "ok"]);
    }

    [Fact]
    public async Task Post_OneBadRow_IsToldAndTheOthersAreScored()
    {
        await using var api = await StartAsync();
        await api.Models!.PublishAsync(0.5, "champion");
        await api.Models.RefreshAsync();
        var (status, json) = await api.PostAsync(
            $$"""{"rows":[{"origin":"JFK"},{{Row}},{"origin":"JFK","dest":"LAX","number":"seven"},{"origin":"JFK","dest":"LAX","number":7,"hat":1},5],"asOf":"{{AsOf}}"}""", "/v1/predict");
        status.ShouldBe(200);
        var rows = json.GetProperty("predictions").EnumerateArray().ToList();
        rows.Select(r => r.TryGetProperty("error", out var e) ? e.GetProperty("code").GetString() : "ok").ShouldBe(["missing-input", "ok", "bad-key", "unknown-input", "bad-row"]);
        rows[0].GetProperty("error").GetProperty("detail").GetString()!.ShouldContain("lacks dest, number");
        rows[1].GetProperty("score").GetDouble().ShouldBe(ModelLab.ScoreOf(0.5, 2, "LAX", 10, 7, "LAX"));
    }

    [Theory]
    [InlineData("""{"model":"early","rows":[]}""", 404, "no-such-model", "late@")]
    [InlineData("""{"model":"late@challenger","rows":[]}""", 404, "no-such-model", "champion")]
    [InlineData("""{"model":"a b","rows":[]}""", 400, "bad-model", "cannot name a model")]
    [InlineData("""{"rows":5}""", 400, "bad-request", "'rows' is missing or no list")]
    [InlineData("""{"rows":[],"as_of":1}""", 400, "unknown-member", "as_of")]
    [InlineData("""{"rows":[],"explain":1}""", 400, "bad-request", "explain")]
    [InlineData("""{"rows":[{},{},{},{}]}""", 413, "too-many-rows", "limit is 3")]
    public async Task Post_BadRequest_SaysWhatWasFound(string body, int status, string code, string detail)
    {
        await using var api = await StartAsync(o => o.MaxRows = 3);
        await api.Models!.PublishAsync(0.5, "champion");
        await api.Models.RefreshAsync();
        var (actual, json) = await api.PostAsync(body, "/v1/predict");
        actual.ShouldBe(status, json.GetRawText());
        json.GetProperty("type").GetString().ShouldBe($"urn:streamml:{code}");
        json.GetProperty("detail").GetString()!.ShouldContain(detail);
    }

    [Fact]
    public async Task Post_DefaultsForMissingFeatures_AreUsedAndFlagged()
    {
        var policies = new ScoringPolicies(new Dictionary<string, ServicePolicy>
        {
            ["everything"] = new() { Missing = PolicyAction.Default, Defaults = new Dictionary<string, string> { ["by_dest.mean_delay_1h"] = "2.5" }, Threshold = 0.01 },
        });
        await using var api = await StartAsync(policies: policies);
        await api.Models!.PublishAsync(0.5, "champion");
        await api.Models.RefreshAsync();
        var (_, json) = await api.PostAsync($$"""{"rows":[{"origin":"EWR","dest":"MIA","number":0}],"asOf":"{{AsOf}}"}""", "/v1/predict");
        var row = json.GetProperty("predictions")[0];
        row.GetProperty("flags").EnumerateArray().Select(f => f.GetString()).ShouldBe(["missing:by_dest.last_dest", "default:by_dest.mean_delay_1h"]);
        row.GetProperty("score").GetDouble().ShouldBe(ModelLab.ScoreOf(0.5, 0, null, 2.5, 0, "MIA"));
        json.GetProperty("threshold").GetDouble().ShouldBe(0.01);
    }

    [Fact]
    public async Task Post_ModelsSwappedUnderLoad_EveryAnswerIsTheNamedVersions()
    {
        await using var api = await StartAsync();
        double[] biases = [0.5, -0.5, 1.5];
        var versions = new Dictionary<string, double>();
        foreach (var bias in biases)
            versions.Add((await api.Models!.PublishAsync(bias, "champion")).Version, bias);
        await api.Models!.RefreshAsync();
        using var stop = new CancellationTokenSource();
        var seen = new System.Collections.Concurrent.ConcurrentDictionary<string, int>();
        var clients = Enumerable.Range(0, 8).Select(_ => Task.Run(async () =>
        {
            while (!stop.IsCancellationRequested)
            {
                var (status, json) = await api.PostAsync($$"""{"model":"late","rows":[{{Row}}],"asOf":"{{AsOf}}"}""", "/v1/predict");
                status.ShouldBe(200, json.GetRawText());
                var version = json.GetProperty("version").GetString()!;
                json.GetProperty("predictions")[0].GetProperty("score").GetDouble().ShouldBe(ModelLab.ScoreOf(versions[version], 2, "LAX", 10, 7, "LAX"));
                seen.AddOrUpdate(version, 1, (_, n) => n + 1);
            }
        })).ToList();
        var names = versions.Keys.ToList();
        for (var swap = 0; swap < 30; swap++)
        {
            await api.Models.Store.MoveAliasAsync(new("late", names[swap % 3]), "champion", cancellationToken: TestContext.Current.CancellationToken);
            await api.Models.RefreshAsync();
            var target = names[swap % 3];
            var before = seen.GetValueOrDefault(target);
            await TestKit.Eventually.Until(() => seen.GetValueOrDefault(target) > before || clients.Exists(c => c.IsFaulted), () => $"swap {swap}");
        }

        await stop.CancelAsync();
        await Task.WhenAll(clients);
        seen.Keys.Order().ShouldBe(versions.Keys.Order());
    }

    [Fact]
    public async Task Get_Models_ListsWhatServesAndWhatIsRefused()
    {
        await using var api = await StartAsync();
        await api.Models!.PublishAsync(0.5, "champion");
        await api.Models.PublishAsync(0.6, "challenger", goldenError: 1);
        await api.Models.RefreshAsync();
        var (_, json) = await api.GetAsync("/v1/models");
        json.GetProperty("serving")[0].GetProperty("inputs").GetArrayLength().ShouldBe(5);
        json.GetProperty("refused")[0].GetProperty("reason").GetString()!.ShouldContain("golden row");
    }

    private static async Task<ApiLab> StartAsync(Action<ScoringOptions>? configure = null, ScoringPolicies? policies = null)
    {
        var api = await ApiLab.StartAsync(scoring: configure ?? (_ => { }), policies: policies);
        api.Lab.Apply(new Trip("JFK", "LAX", 7, 5, ServingLab.StartUs));
        api.Lab.Apply(new Trip("JFK", "LAX", 7, 15, ServingLab.StartUs + 60_000_000));
        await api.Lab.CommitAsync();
        return api;
    }
}
