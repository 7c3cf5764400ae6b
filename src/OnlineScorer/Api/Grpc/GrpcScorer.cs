using Grpc.Core;
using StreamMl.OnlineScorer.Api.Predicting;
using StreamMl.OnlineScorer.Reading;
using StreamMl.OnlineScorer.Scoring;

namespace StreamMl.OnlineScorer.Api.Grpc;

/// <summary>The gRPC face of the scorer: the rows go the way of <c>POST /v1/predict</c>. Thread-safe.</summary>
internal sealed class GrpcScorer(ModelHost host, FeatureReader reader, ScoringOptions options, TimeProvider time, ILogger<GrpcScorer> logger) : Scorer.ScorerBase
{
    public override Task<PredictedOne> Predict(PredictOne request, ServerCallContext context) => GuardedAsync(context, async () =>
    {
        var (work, serving) = await ScoreAsync(request.Model, [request.Row ?? new Row()], request.AsOf, context.CancellationToken);
        var result = GrpcAnswer.Of(work, 0, request.Explain);
        if (result.Error is { } error)
            throw new ApiProblem(error.Code == "refused" ? 422 : 400, error.Code, error.Detail, error.Remedy);
        work.Return();
        return new PredictedOne { Model = GrpcAnswer.Of(serving), Prediction = result.Prediction };
    });

    public override Task<PredictedMany> PredictBatch(PredictMany request, ServerCallContext context) => GuardedAsync(context, async () =>
    {
        var (work, serving) = await ScoreAsync(request.Model, request.Rows, request.AsOf, context.CancellationToken);
        var answer = new PredictedMany { Model = GrpcAnswer.Of(serving) };
        for (var row = 0; row < work.Count; row++)
            answer.Results.Add(GrpcAnswer.Of(work, row, request.Explain));
        work.Return();
        return answer;
    });

    private async Task<(PredictWork Work, ServingModel Serving)> ScoreAsync(string model, IReadOnlyList<Row> rows, string asOf, CancellationToken cancellationToken)
    {
        if (rows.Count > options.MaxRows)
            throw new ApiProblem(413, "too-many-rows", $"the request has {rows.Count} rows, the limit is {options.MaxRows}", "send several requests, or raise MaxRows");
        var serving = PredictRequest.FindModel(model.Length == 0 ? null : model, host);
        var asOfUs = asOf.Length == 0 ? FeatureRequest.NowUs(time) : FeatureRequest.ParseTime(asOf, "as_of", time);
        var work = PredictWork.Rent(serving.Model);
        for (var i = 0; i < rows.Count; i++)
            GrpcRow.Add(work, rows[i], i, asOfUs);
        await reader.ReadAsync(work.Read, cancellationToken);
        ServingMetrics.Requested.Add(work.Count, new KeyValuePair<string, object?>("model", serving.Model.Version.Name));
        return (work, serving);
    }

    private async Task<T> GuardedAsync<T>(ServerCallContext context, Func<Task<T>> handler)
    {
        try
        {
            return await handler();
        }
        catch (Exception e) when (!context.CancellationToken.IsCancellationRequested)
        {
            if (ApiProblem.From(e) is { } problem)
                throw new RpcException(new Status(CodeOf(problem.Status), $"{problem.Code}: {problem.Detail}. {problem.Remedy}."));
            logger.CallFailed(e, context.Method);
            throw new RpcException(new Status(StatusCode.Internal, "the server failed; its log has the details"));
        }
    }

    private static StatusCode CodeOf(int status) => status switch
    {
        404 => StatusCode.NotFound,
        413 => StatusCode.ResourceExhausted,
        422 => StatusCode.FailedPrecondition,
        503 => StatusCode.Unavailable,
        _ => StatusCode.InvalidArgument,
    };
}

internal static partial class GrpcLog
{
    [LoggerMessage(60, LogLevel.Error, "{Method} failed")]
    public static partial void CallFailed(this ILogger logger, Exception error, string method);

    [LoggerMessage(61, LogLevel.Information, "gRPC at {Address}")]
    public static partial void GrpcListening(this ILogger logger, string address);
}
