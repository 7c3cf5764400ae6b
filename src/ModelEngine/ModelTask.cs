namespace StreamMl.ModelEngine;

/// <summary>What a model answers.</summary>
public enum ModelTask
{
    /// <summary>One score per row: the probability of the positive class.</summary>
    Binary,

    /// <summary>One score per class and row: probabilities that add up to 1.</summary>
    Multiclass,

    /// <summary>One score per row: the estimate, in the label's unit.</summary>
    Regression,
}
