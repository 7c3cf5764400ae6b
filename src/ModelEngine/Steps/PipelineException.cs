using StreamMl.Shared.Definitions;

namespace StreamMl.ModelEngine.Steps;

/// <summary>A pipeline cannot be fitted or loaded as it is; the diagnostic names the step, the value and the remedy.</summary>
public sealed class PipelineException(Diagnostic diagnostic) : Exception($"{diagnostic.Message}. {diagnostic.Remedy}")
{
    public PipelineException(string message, string remedy)
        : this(new Diagnostic(Severity.Error, null, message, remedy))
    {
    }

    public Diagnostic Diagnostic { get; } = diagnostic;
}
