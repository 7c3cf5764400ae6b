using Apache.Arrow;
using Apache.Arrow.Ipc;
using StreamMl.Infrastructure.Archive;
using StreamMl.Shared.Events;

namespace StreamMl.Infrastructure.Tables;

/// <summary>A table in an Arrow IPC file, uncompressed, mapped into memory.</summary>
public sealed class ArrowTableReader : RecordBatchTableReader
{
    private readonly SharedFile file;
    private readonly ArrowStreamReader reader;

    /// <param name="only">The columns to read; null: all.</param>
    public ArrowTableReader(string path, IReadOnlySet<string>? only = null)
    {
        file = new SharedFile(path);
        reader = file.OpenArrow();
        (Schema, Columns, Skipped) = ArrowFields.FromArrow(Path.GetFileNameWithoutExtension(path), reader.Schema, only);
        if (reader.Schema.HasMetadata)
            Metadata = reader.Schema.Metadata;
    }

    public override EventSchema Schema { get; }

    public override IReadOnlyList<SkippedColumn> Skipped { get; }

    public override IReadOnlyDictionary<string, string> Metadata { get; } = new Dictionary<string, string>(StringComparer.Ordinal);

    protected override int[] Columns { get; }

    protected override RecordBatch? NextBatch() => reader.ReadNextRecordBatch();

    protected override void Dispose(bool disposing)
    {
        base.Dispose(disposing);
        reader.Dispose();
        file.Dispose();
    }
}
