using Apache.Arrow;
using Apache.Arrow.Ipc;
using Apache.Arrow.Types;
using ParquetSharp.Arrow;
using StreamMl.Shared.Events;

namespace StreamMl.Infrastructure.Tables;

/// <summary>A table in a Parquet file, read a batch at a time.</summary>
public sealed class ParquetTableReader : RecordBatchTableReader
{
    private readonly FileReader file;
    private readonly IArrowArrayStream stream;

    /// <param name="only">The columns to read; null: all. Others are not decoded.</param>
    public ParquetTableReader(string path, IReadOnlySet<string>? only = null)
    {
        file = new FileReader(path);
        stream = file.GetRecordBatchReader(columns: only is null ? null : LeavesOf(file.Schema, only));
        (Schema, Columns, Skipped) = ArrowFields.FromArrow(Path.GetFileNameWithoutExtension(path), stream.Schema, only);
    }

    public override EventSchema Schema { get; }

    public override IReadOnlyList<SkippedColumn> Skipped { get; }

    protected override int[] Columns { get; }

    // The stream of a local file completes synchronously.
    protected override RecordBatch? NextBatch() => stream.ReadNextRecordBatchAsync().AsTask().GetAwaiter().GetResult();

    /// <summary>Parquet counts leaves: where a column is nested they are not the columns, and all are decoded.</summary>
    private static int[]? LeavesOf(Schema schema, IReadOnlySet<string> only) => schema.FieldsList.Any(f => f.DataType is NestedType)
        ? null
        : [.. Enumerable.Range(0, schema.FieldsList.Count).Where(i => only.Contains(schema.FieldsList[i].Name))];

    protected override void Dispose(bool disposing)
    {
        base.Dispose(disposing);
        stream.Dispose();
        file.Dispose();
    }
}
