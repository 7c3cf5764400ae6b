using StreamMl.ModelEngine.Steps;
using StreamMl.Training.Data;

namespace StreamMl.Training.Vectors;

/// <summary>Rows as a model's vectors, with label and weight. Thread-safe; its readers are not.</summary>
internal abstract class SlotSource(TrainingRows rows, IReadOnlyList<Slot> slots)
{
    public IReadOnlyList<Slot> Slots { get; } = slots;

    /// <summary>The rows that the vectors are of.</summary>
    public TrainingRows Rows { get; } = rows;

    public int Count => Rows.Count;

    public double Label(int index) => Rows.LabelAt(index);

    public float Weight(int index) => Rows.WeightAt(index);

    public bool HasWeights => Rows.HasWeights;

    /// <summary>A reader of vectors by index.</summary>
    public abstract SlotReader Open();

    public double[] Labels()
    {
        var labels = new double[Count];
        for (var i = 0; i < labels.Length; i++)
            labels[i] = Label(i);
        return labels;
    }

    /// <summary>Rows' vectors through the fitted pipeline: validation and test rows.</summary>
    public static SlotSource Encoded(FittedPipeline pipeline, TrainingSet set, int[] rows, double[] labels) =>
        new PipelineSource(pipeline, new TrainingRows(set, pipeline.Inputs, rows, labels));

    /// <summary>The training rows' own vectors, in which a target encoding of a row never saw that row's label.</summary>
    public static SlotSource Training(FittedTraining fitted, TrainingRows rows) => new TrainingSource(fitted, rows);

    /// <summary>The same vectors, kept in memory where they take at most so many bytes.</summary>
    public SlotSource Kept(long maxBytes) => (long)Count * Slots.Count * sizeof(float) <= maxBytes ? SlotMatrix.Of(this) : this;

    private sealed class PipelineSource(FittedPipeline pipeline, TrainingRows rows) : SlotSource(rows, pipeline.Slots)
    {
        public override SlotReader Open()
        {
            var (reader, scratch, slots) = (new SetRowReader(Rows.Set, Rows.Inputs), pipeline.NewScratch(), new float[Slots.Count]);
            return index =>
            {
                reader.Read(Rows.RowNumbers[index]);
                pipeline.Encode(reader.Row, slots, scratch);
                return slots;
            };
        }
    }

    private sealed class TrainingSource(FittedTraining fitted, TrainingRows rows) : SlotSource(rows, fitted.Pipeline.Slots)
    {
        public override SlotReader Open()
        {
            var (reader, scratch, slots) = (new SetRowReader(Rows.Set, Rows.Inputs), fitted.NewScratch(), new float[Slots.Count]);
            return index =>
            {
                reader.Read(Rows.RowNumbers[index]);
                fitted.EncodeTraining(index, reader.Row, slots, scratch);
                return slots;
            };
        }
    }
}

/// <summary>The vector of a row, by its index among the source's rows; valid until the next call.</summary>
internal delegate ReadOnlySpan<float> SlotReader(int index);
