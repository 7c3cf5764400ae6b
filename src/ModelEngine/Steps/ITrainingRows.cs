using StreamMl.Shared.Features;

namespace StreamMl.ModelEngine.Steps;

/// <summary>
/// The rows of the training part, and of no other: what is fitted on them knows nothing of validation and test rows. Read any number of times, each time
/// the same rows in the same order.
/// </summary>
public interface ITrainingRows
{
    /// <summary>The columns of every row, in order.</summary>
    IReadOnlyList<ModelInput> Inputs { get; }

    /// <summary>Number of rows.</summary>
    int Count { get; }

    /// <summary>
    /// What decides the fold of a row for out-of-fold encodings: rows with one key are never in different folds. Copies of a row, as over-sampling makes them, must
    /// have one key, or each would be encoded by the label of the other; rows of one entity may.
    /// </summary>
    /// <param name="index">The row's place from 0.</param>
    long FoldKey(int index) => index;

    /// <summary>A cursor before the first row. Independent of every other cursor.</summary>
    ITrainingCursor Open();
}

/// <summary>One walk over training rows. Not thread-safe.</summary>
public interface ITrainingCursor : IDisposable
{
    /// <summary>Moves to the next row; false after the last.</summary>
    bool Next();

    /// <summary>The current row, its columns in the order of <see cref="ITrainingRows.Inputs"/>; valid until the next move.</summary>
    FeatureRow Row { get; }

    /// <summary>The current row's label: 0 or 1 (binary), the class from 0 (multiclass), the value (regression). Never NaN.</summary>
    double Label { get; }

    /// <summary>The current row's weight, finite and not negative; 1 where none is declared.</summary>
    double Weight { get; }
}
