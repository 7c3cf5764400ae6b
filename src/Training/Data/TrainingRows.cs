using StreamMl.ModelEngine;
using StreamMl.ModelEngine.Steps;
using StreamMl.Shared.Features;

namespace StreamMl.Training.Data;

/// <summary>Some rows of a training set, with their labels and weights, as the steps' fitter reads them. Immutable; thread-safe.</summary>
/// <param name="set">The set.</param>
/// <param name="inputs">Columns of every row.</param>
/// <param name="rows">Which rows, in order; a row may stand more than once.</param>
/// <param name="labels">Label of every row of the set.</param>
/// <param name="weights">Weight of each of <paramref name="rows"/>; null: all 1.</param>
public sealed class TrainingRows(TrainingSet set, IReadOnlyList<ModelInput> inputs, int[] rows, double[] labels, double[]? weights = null) : ITrainingRows
{
    public IReadOnlyList<ModelInput> Inputs => inputs;

    public int Count => rows.Length;

    internal TrainingSet Set => set;

    internal int[] RowNumbers => rows;

    internal double LabelAt(int index) => labels[rows[index]];

    internal float WeightAt(int index) => weights is null ? 1 : (float)weights[index];

    internal bool HasWeights => weights is not null;

    /// <summary>The row's number in the set: copies of a row share a fold.</summary>
    public long FoldKey(int index) => rows[index];

    public ITrainingCursor Open() => new Cursor(this);

    private sealed class Cursor(TrainingRows owner) : ITrainingCursor
    {
        private readonly SetRowReader reader = new(owner.Set, owner.Inputs);
        private int at = -1;

        public FeatureRow Row => reader.Row;

        public double Label => owner.LabelAt(at);

        public double Weight => owner.WeightAt(at);

        public bool Next()
        {
            if (++at >= owner.Count)
                return false;
            reader.Read(owner.RowNumbers[at]);
            return true;
        }

        public void Dispose()
        {
            // Nothing is held: the set is its owner's.
        }
    }
}
