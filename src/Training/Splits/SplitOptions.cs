namespace StreamMl.Training.Splits;

/// <summary>What decides the part that a row belongs to.</summary>
public enum SplitKind
{
    /// <summary>The row's time: train before validation before test, as the model will meet them.</summary>
    Time,

    /// <summary>Its entity: all rows of an entity are in one part.</summary>
    Entity,

    /// <summary>Chance. Rows of one hour, one entity, one storm end up on both sides, so that the model is rated too well.</summary>
    Random,
}

/// <summary>How a training set is split. By time, either dates or shares; otherwise shares.</summary>
public sealed record SplitOptions
{
    public SplitKind Kind { get; init; }

    /// <summary>Rows before this are not used. Null: from the first row on.</summary>
    public DateTimeOffset? TrainFrom { get; init; }

    /// <summary>The first moment of the validation part; the training part ends here.</summary>
    public DateTimeOffset? ValidationFrom { get; init; }

    /// <summary>The first moment of the test part; the validation part ends here.</summary>
    public DateTimeOffset? TestFrom { get; init; }

    /// <summary>Rows from this on are not used. Null: up to the last row.</summary>
    public DateTimeOffset? TestTo { get; init; }

    /// <summary>Share of the training part, where no dates are given. Default 0.7.</summary>
    public double Train { get; init; } = 0.7;

    /// <summary>Share of the validation part, where no dates are given; the rest is for the test. Default 0.15.</summary>
    public double Validation { get; init; } = 0.15;

    /// <summary>
    /// By time: rows whose label is known later than this before the next part begins are left out. Null: by each label's own time, which the set carries; a label that was
    /// not known when the next part began could not have been trained on.
    /// </summary>
    public TimeSpan? Gap { get; init; }

    /// <summary>Columns that name the entity of <see cref="SplitKind.Entity"/>.</summary>
    public IReadOnlyList<string> Entity { get; init; } = [];
}
