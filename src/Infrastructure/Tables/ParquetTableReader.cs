using Apache.Arrow;
using Apache.Arrow.Ipc;
using ParquetSharp.Arrow;
using StreamMl.Shared.Events;

namespace StreamMl.Infrastructure.Tables;

/// <summary>A table in a Parquet file, read a batch at a time.</summary>
public sealed class ParquetTableReader : TableReader
{
    private readonly FileReader file;
    private readonly IArrowArrayStream stream;
    private readonly int[] columns;
    private RecordBatch? batch;
    private int used;

    public ParquetTableReader(string path)
    {
        file = new FileReader(path);
        (Schema, columns, Skipped) = ArrowFields.FromArrow(Path.GetFileNameWithoutExtension(path), file.Schema);
        stream = file.GetRecordBatchReader();
    }

    public override EventSchema Schema { get; }

    public override IReadOnlyList<SkippedColumn> Skipped { get; }

    public override bool Read(EventBatch into, int maxRows)
    {
        while (batch is null || used == batch.Length)
        {
            batch?.Dispose();
            // The stream of a local file completes synchronously.
            batch = stream.ReadNextRecordBatchAsync().AsTask().GetAwaiter().GetResult();
            used = 0;
            if (batch is null)
                return false;
        }

        var count = Math.Min(maxRows, batch.Length - used);
        RecordBatches.Copy(batch, columns, used, count, into);
        used += count;
        return true;
    }

    protected override void Dispose(bool disposing)
    {
        batch?.Dispose();
        stream.Dispose();
        file.Dispose();
        base.Dispose(disposing);
    }
}
