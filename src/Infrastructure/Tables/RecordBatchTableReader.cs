using Apache.Arrow;
using StreamMl.Shared.Events;

namespace StreamMl.Infrastructure.Tables;

/// <summary>A table that comes as Arrow record batches, whatever file they are read from: cuts them to the rows that are asked for.</summary>
public abstract class RecordBatchTableReader : TableReader
{
    private RecordBatch? batch;
    private int used;

    /// <summary>By field of <see cref="TableReader.Schema"/>, its column in the batches.</summary>
    protected abstract int[] Columns { get; }

    public override bool Read(EventBatch into, int maxRows)
    {
        while (batch is null || used == batch.Length)
        {
            batch?.Dispose();
            batch = NextBatch();
            used = 0;
            if (batch is null)
                return false;
        }

        var count = Math.Min(maxRows, batch.Length - used);
        RecordBatches.Copy(batch, Columns, used, count, into);
        used += count;
        return true;
    }

    /// <summary>The next batch, which is then this reader's to dispose; null behind the last.</summary>
    protected abstract RecordBatch? NextBatch();

    protected override void Dispose(bool disposing)
    {
        batch?.Dispose();
        base.Dispose(disposing);
    }
}
