using StreamMl.Shared.Definitions;

namespace StreamMl.ModelEngine.Steps;

/// <summary>What fitting needs to know beside the rows.</summary>
/// <param name="Task">The model's task: what the label means.</param>
/// <param name="Classes">Number of classes of a multiclass label; ignored otherwise.</param>
/// <param name="Seed">Decides folds and samples: the same rows and seed give the same pipeline to the byte.</param>
public sealed record FitOptions(ModelTask Task, int Classes = 2, long Seed = 0);

/// <summary>
/// Fits a declared pipeline. Reads the rows once for every chain of steps that need each other's output (mostly once or twice), in memory bounded by the
/// steps' own limits: quantiles are exact up to 200,000 values of a column and beyond that those of a seeded uniform sample of so many. Means and
/// deviations are weighted; quantiles and category counts go by rows. Pure; thread-safe.
/// </summary>
public static class PipelineFitter
{
    /// <summary>
    /// What is wrong with the definition for these inputs, as far as it can be known without data: all that <see cref="StepCatalog.Check"/> finds, and if that is
    /// nothing, the first step that does not fit the columns. Empty where it is sound.
    /// </summary>
    public static IReadOnlyList<Diagnostic> Check(PipelineDefinition definition, IReadOnlyList<ModelInput> inputs)
    {
        if (StepCatalog.Check(definition) is { Count: > 0 } findings)
            return findings;
        try
        {
            new PipelineFitting(definition, inputs, null, new FitOptions(ModelTask.Binary)).Plan();
            return [];
        }
        catch (PipelineException problem)
        {
            return [problem.Diagnostic];
        }
    }

    /// <summary>Fits on these rows alone.</summary>
    /// <exception cref="PipelineException">The definition does not fit the inputs, or there is nothing to fit on.</exception>
    public static FittedTraining Fit(PipelineDefinition definition, ITrainingRows rows, FitOptions options)
    {
        if (StepCatalog.Check(definition) is [var first, ..])
            throw new PipelineException(first);
        if (options.Task == ModelTask.Multiclass && options.Classes < 2)
            throw new PipelineException($"the label has {options.Classes} classes", "A multiclass label has 2 or more");
        return new PipelineFitting(definition, rows.Inputs, rows, options).Fit();
    }
}
