using Grpc.Core;
using Grpc.Net.Client;
using StreamMl.OnlineScorer.Api.Grpc;
using StreamMl.OnlineScorer.Tests.Api;
using StreamMl.Shared.Client;

namespace StreamMl.OnlineScorer.Tests.Scoring;

/// <summary>The same rows by gRPC and by the C# client.</summary>
public sealed class ClientsTests
{
    private const string AsOf = "2020-09-13T12:30:00Z"; // StartUs is 12:26:40

    [Fact]
    public async Task Predict_ByGrpcAndByHttp_GivesTheSame()
    {
        await using var api = await StartAsync();
        var client = new StreamMlClient(api.Http);
        var at = FeatureTime.At(new DateTime(2020, 9, 13, 12, 30, 0, DateTimeKind.Utc));
        var http = await client.PredictAsync("late", new Dictionary<string, object?> { ["origin"] = "JFK", ["dest"] = "LAX", ["number"] = 7 }, at, explain: true, TestContext.Current.CancellationToken);
        http.Score.ShouldBe(ModelLab.ScoreOf(0.5, 2, "LAX", 10, 7, "LAX"));
        http.Contributions.Select(c => c.Input).ShouldBe(ModelLab.Inputs.Select(i => i.Name));
        using var channel = GrpcChannel.ForAddress(api.GrpcAddress);
        var scorer = new Scorer.ScorerClient(channel);
        var grpc = await scorer.PredictAsync(new PredictOne { Row = RowOf("JFK", "LAX", 7), AsOf = AsOf, Explain = true }, cancellationToken: TestContext.Current.CancellationToken);
        grpc.Prediction.Id.ShouldBe(http.Id);
        grpc.Prediction.Score.ShouldBe(http.Score);
        grpc.Prediction.Decision.ShouldBe(http.Decision);
        grpc.Model.Version.ShouldBe(http.Version);
        grpc.Prediction.Views[0].AgeUs.ShouldBe(140_000_000);
        grpc.Prediction.Explanation.Contributions.Select(c => c.Contribution_).ShouldBe(http.Contributions.Select(c => c.Contribution));
    }

    [Fact]
    public async Task PredictBatch_OneBadRow_IsToldAndTheOthersAreScored()
    {
        await using var api = await StartAsync();
        using var channel = GrpcChannel.ForAddress(api.GrpcAddress);
        var request = new PredictMany { Model = "late", AsOf = AsOf };
        request.Rows.AddRange([RowOf("JFK", "LAX", 7), new Row(), RowOf("JFK", null, 7)]);
        request.Rows[1].Values["origin"] = new Value { Whole = 5 };
        var answer = await new Scorer.ScorerClient(channel).PredictBatchAsync(request, cancellationToken: TestContext.Current.CancellationToken);
        answer.Results.Select(r => r.ResultCase).ShouldBe([RowResult.ResultOneofCase.Prediction, RowResult.ResultOneofCase.Error, RowResult.ResultOneofCase.Prediction]);
        answer.Results[1].Error.Code.ShouldBe("bad-input");
        answer.Results[2].Prediction.Score.ShouldBe(ModelLab.ScoreOf(0.5, 2, null, 0, 7, null));
    }

    [Fact]
    public async Task Predict_Refused_SaysWhy()
    {
        await using var api = await StartAsync();
        using var channel = GrpcChannel.ForAddress(api.GrpcAddress);
        var scorer = new Scorer.ScorerClient(channel);
        var noModel = await Should.ThrowAsync<RpcException>(() => scorer.PredictAsync(new PredictOne { Model = "early" }).ResponseAsync);
        (noModel.StatusCode, noModel.Status.Detail.Contains("no-such-model", StringComparison.Ordinal)).ShouldBe((StatusCode.NotFound, true));
        (await Should.ThrowAsync<RpcException>(() => scorer.PredictAsync(new PredictOne { Model = "late" }).ResponseAsync)).Status.Detail.ShouldContain("lacks");
        var client = new StreamMlClient(api.Http);
        (await client.PredictAsync(null, new Dictionary<string, object?> { ["origin"] = 1.5 }, cancellationToken: TestContext.Current.CancellationToken)).Error!.ShouldContain("type String is expected");
    }

    private static Row RowOf(string origin, string? dest, long number)
    {
        var row = new Row();
        row.Values["origin"] = new Value { Text = origin };
        row.Values["dest"] = dest is null ? new Value() : new Value { Text = dest };
        row.Values["number"] = new Value { Whole = number };
        return row;
    }

    private static async Task<ApiLab> StartAsync()
    {
        var api = await ApiLab.StartAsync(scoring: o => o.GrpcUrl = "http://127.0.0.1:0");
        api.Lab.Apply(new Trip("JFK", "LAX", 7, 5, ServingLab.StartUs));
        api.Lab.Apply(new Trip("JFK", "LAX", 7, 15, ServingLab.StartUs + 60_000_000));
        await api.Lab.CommitAsync();
        await api.Models!.PublishAsync(0.5, "champion");
        await api.Models.RefreshAsync();
        return api;
    }
}
