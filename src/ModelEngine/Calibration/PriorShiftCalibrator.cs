namespace StreamMl.ModelEngine.Calibration;

/// <summary>
/// Undoes a change of the share of positives between training and the world, as over- and under-sampling make it: the odds are multiplied by
/// (true odds / training odds) (M. Saerens, P. Latinne, C. Decaestecker 2002; C. Elkan 2001, theorem 2).
/// </summary>
public sealed record PriorShiftCalibrator : Calibrator
{
    private readonly double factor;

    /// <exception cref="ArgumentOutOfRangeException">A rate is not between 0 and 1, both excluded.</exception>
    public PriorShiftCalibrator(double trainingRate, double trueRate)
    {
        TrainingRate = Checked(trainingRate, nameof(trainingRate));
        TrueRate = Checked(trueRate, nameof(trueRate));
        factor = trueRate / (1 - trueRate) / (trainingRate / (1 - trainingRate));
    }

    /// <summary>Share of positives that the model was trained on.</summary>
    public double TrainingRate { get; }

    /// <summary>Share of positives where it is used.</summary>
    public double TrueRate { get; }

    /// <param name="score">A probability.</param>
    public override double Apply(double score) => score * factor / ((score * factor) + (1 - score));

    private static double Checked(double rate, string name) =>
        rate > 0 && rate < 1 ? rate : throw new ArgumentOutOfRangeException(name, rate, "a share of positives must be between 0 and 1, both excluded");
}
