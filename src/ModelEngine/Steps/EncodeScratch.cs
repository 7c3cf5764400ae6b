namespace StreamMl.ModelEngine.Steps;

/// <summary>Room for the intermediate columns of one row; made by <see cref="FittedPipeline.NewScratch"/> and reused. One owner at a time.</summary>
public sealed class EncodeScratch
{
    internal EncodeScratch(int registers) => Registers = new double[registers];

    internal double[] Registers { get; }

    /// <summary>The training row's index; read only by steps that treat training rows differently.</summary>
    internal int RowIndex { get; set; }
}
