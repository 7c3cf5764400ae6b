using StreamMl.Shared.Features;

namespace StreamMl.ModelEngine.Steps;

/// <summary>A pipeline as flat operations on registers (doubles), with every name resolved. Immutable; thread-safe.</summary>
internal sealed class PipelineProgram(EncodeOp[] ops, int registers, int[] slotRegisters)
{
    /// <param name="columns">The columns of the rows that it will be given, in order; at least the document's inputs.</param>
    public static PipelineProgram Compile(PipelineDocument document, IReadOnlyList<ModelInput> columns, TrainingTables training) =>
        Bind(document.Inputs, document.Steps, columns, training).Finish(document.Slots.Select(s => s.Name));

    /// <summary>The places of all columns as they stand after the steps.</summary>
    public static PipelineCompiler Bind(IReadOnlyList<ModelInput> inputs, IReadOnlyList<FittedStep> steps, IReadOnlyList<ModelInput> columns, TrainingTables training)
    {
        var compiler = new PipelineCompiler(columns, training);
        foreach (var input in inputs)
            compiler.AddInput(input.Name);
        foreach (var step in steps)
            step.Compile(compiler);
        return compiler;
    }

    public EncodeScratch NewScratch() => new(registers);

    /// <summary>Fills the registers, and leaves the slots alone.</summary>
    public void Run(FeatureRow row, EncodeScratch scratch)
    {
        var values = scratch.Registers;
        if (values.Length < registers)
            throw new ArgumentException($"the scratch has room for {values.Length} columns and {registers} are needed: take one of this pipeline's NewScratch", nameof(scratch));
        foreach (var op in ops)
            op.Run(row, values, scratch);
    }

    public void Run(FeatureRow row, Span<float> slots, EncodeScratch scratch)
    {
        if (slots.Length < slotRegisters.Length)
            throw new ArgumentException($"there is room for {slots.Length} slots and {slotRegisters.Length} are needed", nameof(slots));
        Run(row, scratch);
        var values = scratch.Registers;
        for (var i = 0; i < slotRegisters.Length; i++)
            slots[i] = (float)values[slotRegisters[i]];
    }
}
