using StreamMl.OnlineScorer.Api.Predicting;
using StreamMl.OnlineScorer.Scoring;
using StreamMl.Shared.Log;

namespace StreamMl.OnlineScorer.Api.Grpc;

/// <summary>Answers as messages.</summary>
internal static class GrpcAnswer
{
    public static Model Of(ServingModel serving)
    {
        var model = new Model { Name = serving.Model.Version.Name, Version = serving.Model.Version.Version, Variant = serving.Variant, Service = serving.Model.Service.Program.Name };
        if (serving.Model.Threshold is { } threshold)
            model.Threshold = threshold;
        model.Classes.AddRange(serving.Model.Classes);
        return model;
    }

    /// <summary>Scores a row.</summary>
    public static RowResult Of(PredictWork work, int row, bool explain)
    {
        if (work.Score(row) is { } problem)
            return new RowResult { Error = new RowError { Code = problem.Code, Detail = problem.Detail, Remedy = problem.Remedy } };
        var session = work.Session;
        var prediction = new Prediction { Id = RequestId.Of(work, row), Score = session.Row.Score, AsOfUs = work.Read.AsOfUs(row) };
        if (session.Row.Decision is { } decision)
            prediction.Decision = decision;
        if (session.Row.Scores.Length > 1)
            prediction.Scores.AddRange(session.Row.Scores.ToArray());
        prediction.Flags.AddRange(session.Row.Flags);
        for (var view = 0; view < work.Model.Service.Views.Count; view++)
            prediction.Views.Add(ViewOf(work, row, view));
        if (explain && session.Explain() is { } explanation)
            prediction.Explanation = Of(explanation, work.Model);
        return new RowResult { Prediction = prediction };
    }

    private static View ViewOf(PredictWork work, int row, int view)
    {
        ref readonly var answer = ref work.Read.Answer(row, view);
        var message = new View { View_ = work.Model.Service.Views[view].Name, Partition = answer.Partition, NextOffset = answer.NextOffset };
        if (answer.WatermarkUs != PositionRecord.None)
            message.WatermarkUs = answer.WatermarkUs;
        if (answer.AgeUs is { } ageUs)
            message.AgeUs = ageUs;
        return message;
    }

    private static Explanation Of(ModelExplanation explanation, LoadedModel model)
    {
        var message = new Explanation { Space = explanation.Space, Base = explanation.BaseValue, Total = explanation.Total };
        message.Contributions.AddRange(model.Inputs.Select((input, i) => new Contribution { Input = input.Name, Contribution_ = explanation.Contributions[i] }));
        return message;
    }
}
