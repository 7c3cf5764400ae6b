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
    /// <summary>Every error of the definition against these inputs that can be known without data; empty if there is none.</summary>
    public static IReadOnlyList<Diagnostic> Check(PipelineDefinition definition, IReadOnlyList<ModelInput> inputs) => throw new NotSupportedException($"{definition} {inputs}");

    /// <summary>Fits on these rows alone.</summary>
    /// <exception cref="PipelineException">The definition does not fit the inputs, or there is nothing to fit on.</exception>
    public static FittedTraining Fit(PipelineDefinition definition, ITrainingRows rows, FitOptions options) => throw new NotSupportedException($"{definition} {rows} {options}");
}
