using Microsoft.ML;
using Microsoft.ML.Data;
using StreamMl.ModelEngine;
using StreamMl.Training.Extraction;

namespace StreamMl.Training.Vectors;

/// <summary>
/// Vectors as ML.NET's trainers read them: <c>Features</c> with slot names, <c>Label</c> in the task's form, <c>Weight</c>. Vectors are filled into the trainer's own
/// buffer, so a scan allocates nothing per row. Thread-safe; its cursors are not.
/// </summary>
internal sealed class SlotDataView : IDataView
{
    public const string Features = "Features";
    public const string Label = "Label";
    public const string Weight = "Weight";

    private readonly SlotSource source;
    private readonly FeatureLayout layout;
    private readonly ModelTask task;
    private readonly int[] order;

    /// <param name="source">The vectors.</param>
    /// <param name="layout">How they stand in ML.NET's vector.</param>
    /// <param name="task">Decides the label's type.</param>
    /// <param name="classes">Number of classes of a multiclass label.</param>
    /// <param name="rows">Which of the source's rows, in this order; null: all. A row may stand more than once.</param>
    public SlotDataView(SlotSource source, FeatureLayout layout, ModelTask task, int classes, int[]? rows = null)
    {
        this.source = source;
        this.layout = layout;
        this.task = task;
        order = rows ?? [.. Enumerable.Range(0, source.Count)];
        var schema = new DataViewSchema.Builder();
        schema.AddColumn(Features, new VectorDataViewType(NumberDataViewType.Single, layout.Width), Annotations(layout));
        schema.AddColumn(Label, task switch
        {
            ModelTask.Binary => BooleanDataViewType.Instance,
            ModelTask.Multiclass => new KeyDataViewType(typeof(uint), classes),
            _ => NumberDataViewType.Single,
        });
        schema.AddColumn(Weight, NumberDataViewType.Single);
        Schema = schema.ToSchema();
    }

    public bool CanShuffle => false;

    public DataViewSchema Schema { get; }

    public long? GetRowCount() => order.Length;

    public DataViewRowCursor GetRowCursor(IEnumerable<DataViewSchema.Column> columnsNeeded, Random? rand = null) => new Cursor(this, columnsNeeded);

    public DataViewRowCursor[] GetRowCursorSet(IEnumerable<DataViewSchema.Column> columnsNeeded, int n, Random? rand = null) => [new Cursor(this, columnsNeeded)];

    private static DataViewSchema.Annotations Annotations(FeatureLayout layout)
    {
        var annotations = new DataViewSchema.Annotations.Builder();
        var names = layout.Names.Select(n => n.AsMemory()).ToArray();
        annotations.Add("SlotNames", new VectorDataViewType(TextDataViewType.Instance, names.Length), (ref VBuffer<ReadOnlyMemory<char>> value) => value = new VBuffer<ReadOnlyMemory<char>>(names.Length, names));
        if (layout.CategoricalRanges.Count > 0)
        {
            var ranges = layout.CategoricalRanges.ToArray();
            annotations.Add("CategoricalSlotRanges", new VectorDataViewType(NumberDataViewType.Int32, ranges.Length / 2, 2), (ref VBuffer<int> value) => value = new VBuffer<int>(ranges.Length, ranges));
        }

        return annotations.ToAnnotations();
    }

    private sealed class Cursor(SlotDataView owner, IEnumerable<DataViewSchema.Column> needed) : DataViewRowCursor
    {
        private readonly HashSet<int> active = [.. needed.Select(c => c.Index)];
        private readonly SlotReader read = owner.source.Open();
        private long position = -1;

        public override long Position => position;

        public override long Batch => 0;

        public override DataViewSchema Schema => owner.Schema;

        private int Row => owner.order[position];

        public override bool IsColumnActive(DataViewSchema.Column column) => active.Contains(column.Index);

        public override bool MoveNext()
        {
            if (++position < owner.order.Length)
                return true;
            position = -1;
            return false;
        }

        public override ValueGetter<DataViewRowId> GetIdGetter() => (ref DataViewRowId id) => id = new DataViewRowId((ulong)position, 0);

        public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column)
        {
            Delegate getter = column.Name switch
            {
                Features => (ValueGetter<VBuffer<float>>)((ref VBuffer<float> value) => owner.layout.Fill(read(Row), ref value)),
                Weight => (ValueGetter<float>)((ref float value) => value = owner.source.Weight(Row)),
                _ => owner.task switch
                {
                    ModelTask.Binary => (ValueGetter<bool>)((ref bool value) => value = owner.source.Label(Row) == 1),
                    // Keys count from 1: 0 is a missing one.
                    ModelTask.Multiclass => (ValueGetter<uint>)((ref uint value) => value = (uint)owner.source.Label(Row) + 1),
                    _ => (ValueGetter<float>)((ref float value) => value = (float)owner.source.Label(Row)),
                },
            };
            return getter as ValueGetter<TValue> ?? throw new InvalidOperationException($"column '{column.Name}' is {column.Type}, not {typeof(TValue).Name}");
        }
    }
}
