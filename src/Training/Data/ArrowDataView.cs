using Microsoft.ML;
using Microsoft.ML.Data;
using StreamMl.Shared.Events;

namespace StreamMl.Training.Data;

/// <summary>
/// A training set's columns for ML.NET, read where they lie in mapped memory: numbers and booleans as <see cref="double"/> with NaN for null, timestamps as
/// microseconds (<see cref="long"/>, 0 for null), texts as ML.NET's text, each distinct one made once. A scan allocates nothing per row. Thread-safe; its cursors are not.
/// </summary>
public sealed class ArrowDataView : IDataView
{
    private readonly TrainingSet set;
    private readonly int[] columns;

    /// <param name="set">Must live as long as this view is read.</param>
    /// <param name="columns">Names of the columns; null: all.</param>
    public ArrowDataView(TrainingSet set, IReadOnlyList<string>? columns = null)
    {
        this.set = set;
        this.columns = columns is null
            ? [.. Enumerable.Range(0, set.Manifest.Columns.Count)]
            : [.. columns.Select(c => set.RequireColumn(c, "the view"))];
        var schema = new DataViewSchema.Builder();
        foreach (var column in this.columns)
            schema.AddColumn(set.Manifest.Columns[column].Name, TypeOf(set.TypeOf(column)));
        Schema = schema.ToSchema();
    }

    public bool CanShuffle => false;

    public DataViewSchema Schema { get; }

    public long? GetRowCount() => set.Rows;

    public DataViewRowCursor GetRowCursor(IEnumerable<DataViewSchema.Column> columnsNeeded, Random? rand = null) => new Cursor(this, columnsNeeded);

    public DataViewRowCursor[] GetRowCursorSet(IEnumerable<DataViewSchema.Column> columnsNeeded, int n, Random? rand = null) => [new Cursor(this, columnsNeeded)];

    private static DataViewType TypeOf(FieldType type) => type switch
    {
        FieldType.String => TextDataViewType.Instance,
        FieldType.Timestamp => NumberDataViewType.Int64,
        _ => NumberDataViewType.Double,
    };

    private sealed class Cursor(ArrowDataView owner, IEnumerable<DataViewSchema.Column> needed) : DataViewRowCursor
    {
        private readonly HashSet<int> active = [.. needed.Select(c => c.Index)];
        private readonly TextPool texts = new();
        private SetColumn[] cells = [];
        private int chunk = -1;
        private int row = -1;
        private int rows;
        private long position = -1;

        public override long Position => position;

        public override long Batch => 0;

        public override DataViewSchema Schema => owner.Schema;

        public override bool IsColumnActive(DataViewSchema.Column column) => active.Contains(column.Index);

        public override bool MoveNext()
        {
            while (row + 1 >= rows)
            {
                if (++chunk >= owner.set.Chunks.Count)
                {
                    position = -1;
                    return false;
                }

                (cells, rows, row) = (owner.set.Chunks[chunk].Columns, owner.set.Chunks[chunk].Rows, -1);
            }

            row++;
            position++;
            return true;
        }

        public override ValueGetter<DataViewRowId> GetIdGetter() => (ref DataViewRowId id) => id = new DataViewRowId((ulong)position, 0);

        public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column)
        {
            if (!IsColumnActive(column))
                throw new InvalidOperationException($"column '{column.Name}' was not asked for when the cursor was opened");
            var from = owner.columns[column.Index];
            Delegate getter = owner.set.TypeOf(from) switch
            {
                FieldType.String => (ValueGetter<ReadOnlyMemory<char>>)((ref ReadOnlyMemory<char> value) => value = cells[from].IsValid(row) ? texts.Get(cells[from].Text(row)) : default),
                FieldType.Timestamp => (ValueGetter<long>)((ref long value) => value = cells[from].IsValid(row) ? cells[from].Lane(row) : 0),
                _ => (ValueGetter<double>)((ref double value) => value = cells[from].Number(row)),
            };
            return getter as ValueGetter<TValue> ?? throw new InvalidOperationException($"column '{column.Name}' is {column.Type}, not {typeof(TValue).Name}");
        }
    }
}
