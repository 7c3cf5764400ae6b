using StreamMl.Shared.Features;

namespace StreamMl.ModelEngine.Steps;

/// <summary>A training row as a fitter sees it: the row, and the columns that earlier steps gave.</summary>
internal readonly ref struct TrainingSample(FeatureRow row, double[] registers, double label, double weight, long foldKey)
{
    public FeatureRow Row { get; } = row;

    public double[] Registers { get; } = registers;

    public double Label { get; } = label;

    public double Weight { get; } = weight;

    /// <summary>What decides the row's fold.</summary>
    public long FoldKey { get; } = foldKey;
}

/// <summary>The declared step that a problem belongs to.</summary>
internal sealed record StepOrigin(StepDefinition Step, int Number)
{
    public T Locate<T>(Func<T> work)
    {
        try
        {
            return work();
        }
        catch (PipelineException problem)
        {
            throw Located(problem);
        }
    }

    public PipelineException Located(PipelineException problem) => new(StepChecks.Error(Step, Number, problem.Diagnostic.Message, problem.Diagnostic.Remedy));
}

/// <summary>What is known of a step's output before it is fitted. The cardinality of one that is categorical may still change.</summary>
internal sealed record PlannedOutput(string Name, ColumnKind Kind = ColumnKind.Number, bool IsCategorical = false);

/// <summary>Learns one fitted step in one pass over the training rows. One use; not thread-safe.</summary>
internal abstract class StepFitter
{
    /// <summary>The declared step that it belongs to.</summary>
    public StepOrigin Origin { get; set; } = null!;

    /// <summary>Names of the columns that it reads, as they stand before it.</summary>
    public abstract IReadOnlyList<string> Sources { get; }

    /// <summary>Its outputs; where they are known by fitting only, one that stands for them all.</summary>
    public abstract IReadOnlyList<PlannedOutput> Outputs { get; }

    /// <summary>Whether it must see the rows.</summary>
    public virtual bool NeedsRows => true;

    /// <summary>Whether the names of its outputs are known by fitting only.</summary>
    public virtual bool NamesOutputs => false;

    /// <summary>Finds out where its columns are; before the first row.</summary>
    public abstract void Bind(PipelineCompiler columns);

    public abstract void Observe(in TrainingSample sample);

    /// <summary>After the last row.</summary>
    /// <param name="training">Takes what training rows are encoded with, where that is something else.</param>
    public abstract FittedStep Finish(IDictionary<FittedStep, OutOfFoldTable> training);
}

/// <summary>A step with nothing to learn.</summary>
internal sealed class KnownStep(FittedStep step, ColumnKind kind = ColumnKind.Number) : StepFitter
{
    public override IReadOnlyList<string> Sources => step.Sources;

    public override IReadOnlyList<PlannedOutput> Outputs { get; } = [.. step.Outputs.Select((o, i) => new PlannedOutput(o, i == 0 ? kind : ColumnKind.Number, step.Cardinality > 0))];

    public override bool NeedsRows => false;

    public override void Bind(PipelineCompiler columns)
    {
    }

    public override void Observe(in TrainingSample sample) => throw new InvalidOperationException("a step with nothing to learn was shown a row");

    public override FittedStep Finish(IDictionary<FittedStep, OutOfFoldTable> training) => step;
}
