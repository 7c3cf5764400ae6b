using Apache.Arrow;
using Apache.Arrow.Ipc;
using ParquetSharp.Arrow;
using StreamMl.Shared.Events;

namespace StreamMl.Infrastructure.Tables;

/// <summary>A table in a Parquet file, read a batch at a time.</summary>
public sealed class ParquetTableReader : RecordBatchTableReader
{
    private readonly FileReader file;
    private readonly IArrowArrayStream stream;

    public ParquetTableReader(string path)
    {
        file = new FileReader(path);
        (Schema, Columns, Skipped) = ArrowFields.FromArrow(Path.GetFileNameWithoutExtension(path), file.Schema);
        stream = file.GetRecordBatchReader();
    }

    public override EventSchema Schema { get; }

    public override IReadOnlyList<SkippedColumn> Skipped { get; }

    protected override int[] Columns { get; }

    // The stream of a local file completes synchronously.
    protected override RecordBatch? NextBatch() => stream.ReadNextRecordBatchAsync().AsTask().GetAwaiter().GetResult();

    protected override void Dispose(bool disposing)
    {
        base.Dispose(disposing);
        stream.Dispose();
        file.Dispose();
    }
}
