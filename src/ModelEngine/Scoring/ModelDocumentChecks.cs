using StreamMl.ModelEngine.Calibration;
using StreamMl.Shared.Models;

namespace StreamMl.ModelEngine.Scoring;

/// <summary>What a document must be beyond its JSON form. Pure.</summary>
internal static class ModelDocumentChecks
{
    private const string Remedy = "restore the model from a copy, or train it again";

    /// <exception cref="ModelException">The first thing that is wrong.</exception>
    public static void Check(ModelDocument document)
    {
        var slots = document.Pipeline.Slots;
        if (slots.Count == 0)
            throw new ModelException($"its pipeline has no slots, and a model reads at least 1: {Remedy}");
        document.Predictor.Check(slots);
        var (outputs, classes) = (document.Predictor.Outputs, document.Classes.Count);
        var (wantedOutputs, wantedClasses) = document.Task switch
        {
            ModelTask.Binary => (1, 2),
            ModelTask.Multiclass => (Math.Max(classes, 2), Math.Max(classes, 2)),
            _ => (1, 0),
        };
        if (outputs != wantedOutputs || classes != wantedClasses)
            throw new ModelException($"a {document.Task} model has {outputs} raw scores and {classes} classes; it needs {wantedOutputs} and {wantedClasses}: {Remedy}");
        CheckLink(document);
        if (!(document.DecisionThreshold >= 0 && document.DecisionThreshold <= 1))
            throw new ModelException($"its decision threshold is {document.DecisionThreshold}; it must be 0 to 1: {Remedy}");
    }

    private static void CheckLink(ModelDocument document)
    {
        var allowed = document.Task switch
        {
            ModelTask.Binary => document.Link is ModelLink.Sigmoid || (document.Link is ModelLink.Identity && document.Calibration is not (null or IdentityCalibrator)),
            ModelTask.Multiclass => document.Link is ModelLink.Softmax or ModelLink.OneVersusRest,
            _ => document.Link is ModelLink.Identity,
        };
        if (!allowed)
            throw new ModelException($"a {document.Task} model has the link {document.Link}; binary needs Sigmoid, or Identity and a calibration, multiclass Softmax or OneVersusRest, regression Identity: {Remedy}");
        if (document.Task != ModelTask.Binary && document.Calibration is not null)
            throw new ModelException($"a {document.Task} model has a calibration, which only binary models have: {Remedy}");
    }
}
