using Apache.Arrow;
using Apache.Arrow.Ipc;
using StreamMl.Infrastructure.Archive;
using StreamMl.Shared.Events;

namespace StreamMl.Infrastructure.Tables;

/// <summary>A table in an Arrow IPC file, uncompressed, mapped into memory.</summary>
public sealed class ArrowTableReader : TableReader
{
    private readonly SharedFile file;
    private readonly ArrowStreamReader reader;
    private readonly int[] columns;
    private RecordBatch? batch;
    private int used;

    public ArrowTableReader(string path)
    {
        file = new SharedFile(path);
        reader = file.OpenArrow();
        (Schema, columns, Skipped) = ArrowFields.FromArrow(Path.GetFileNameWithoutExtension(path), reader.Schema);
        if (reader.Schema.HasMetadata)
            Metadata = reader.Schema.Metadata;
    }

    public override EventSchema Schema { get; }

    public override IReadOnlyList<SkippedColumn> Skipped { get; }

    public override IReadOnlyDictionary<string, string> Metadata { get; } = new Dictionary<string, string>(StringComparer.Ordinal);

    public override bool Read(EventBatch into, int maxRows)
    {
        while (batch is null || used == batch.Length)
        {
            batch?.Dispose();
            batch = reader.ReadNextRecordBatch();
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
        reader.Dispose();
        file.Dispose();
        base.Dispose(disposing);
    }
}
