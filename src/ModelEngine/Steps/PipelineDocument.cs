namespace StreamMl.ModelEngine.Steps;

/// <summary>
/// A fitted pipeline as it is kept in <c>model.json</c>: everything that <see cref="FittedPipeline"/> needs, nothing that it computes at load. Written by
/// <see cref="PipelineJson"/>; the same pipeline always gives the same bytes. Immutable.
/// </summary>
/// <param name="Inputs">The inputs that are read, in the order of a row's columns.</param>
/// <param name="Steps">
/// The fitted steps in order, one for each column that a declared step read. A step's outputs hide earlier columns of the same name from the steps after it.
/// </param>
/// <param name="Slots">The vector, in order; each is the column of that name as it stands after the last step.</param>
public sealed record PipelineDocument(IReadOnlyList<ModelInput> Inputs, IReadOnlyList<FittedStep> Steps, IReadOnlyList<Slot> Slots);
