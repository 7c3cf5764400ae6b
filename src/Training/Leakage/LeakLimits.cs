using System.ComponentModel.DataAnnotations;

namespace StreamMl.Training.Leakage;

/// <summary>From where on something is a fault. The defaults pass honest sets of real data and find what the tests plant.</summary>
public sealed class LeakLimits
{
    /// <summary>AUC of one feature alone from which it must know the label. 0.6 to 1; default 0.95.</summary>
    [Range(0.6, 1.0)]
    public double SingleAuc { get; set; } = 0.95;

    /// <summary>How many times further from 0.5 than the mean of the next three features one may be, if its AUC is 0.75 or more. 1.5 to 100; default 3.</summary>
    [Range(1.5, 100)]
    public double AboveOthers { get; set; } = 3;

    /// <summary>AUC of a feature's being missing. 0.55 to 1; default 0.65.</summary>
    [Range(0.55, 1.0)]
    public double MissingAuc { get; set; } = 0.65;

    /// <summary>How much AUC a stored feature may lose when each row takes the value of its entity's row before. 0.02 to 0.5; default 0.1.</summary>
    [Range(0.02, 0.5)]
    public double ShiftDrop { get; set; } = 0.1;

    /// <summary>AUC of a feature for labels of earlier rows that are not known yet. Events that come before the label's may tell much of it, so this is high. 0.6 to 1; default 0.9.</summary>
    [Range(0.6, 1.0)]
    public double EarlyAuc { get; set; } = 0.9;

    /// <summary>And how much better, to be a fault, it must tell them than its own row's label. 0.01 to 0.5; default 0.05.</summary>
    [Range(0.01, 0.5)]
    public double EarlyGain { get; set; } = 0.05;

    /// <summary>
    /// Agreement beyond chance of two logs' counts from which their events stand at the same times. 0.2 to 1; default 0.5: honest landings and departures reach 0.1, and 0.6 remains where
    /// a delay of a second moves every event that falls on a row's own time.
    /// </summary>
    [Range(0.2, 1.0)]
    public double SameTimes { get; set; } = 0.5;

    /// <summary>Share of test rows with a near twin among the training rows, beyond what chance gives. 0 to 1; default 0.001.</summary>
    [Range(0.0, 1.0)]
    public double TwinShare { get; set; } = 0.001;

    /// <summary>How near a near twin is, in each column, in standard deviations. 0 to 0.1; default 0.001.</summary>
    [Range(0.0, 0.1)]
    public double TwinDistance { get; set; } = 0.001;

    /// <summary>Rows of a statistic; more are thinned evenly. 1,000 to 10,000,000; default 50,000.</summary>
    [Range(1_000, 10_000_000)]
    public int MaxRows { get; set; } = 50_000;
}
