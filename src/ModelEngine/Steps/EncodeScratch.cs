namespace StreamMl.ModelEngine.Steps;

/// <summary>Room for the intermediate columns of one row; made by <see cref="FittedPipeline.NewScratch"/> and reused. One owner at a time.</summary>
public sealed class EncodeScratch
{
    internal EncodeScratch(int registers) => Registers = new double[registers];

    internal double[] Registers { get; }

    /// <summary>What decides the training row's fold; read only by steps that treat training rows differently.</summary>
    internal long FoldKey { get; set; }
}
