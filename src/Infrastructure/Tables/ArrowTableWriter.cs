using Apache.Arrow;
using Apache.Arrow.Ipc;
using StreamMl.Infrastructure.Archive;
using StreamMl.Shared.Events;

namespace StreamMl.Infrastructure.Tables;

/// <summary>
/// Writes a table as an uncompressed Arrow IPC file, a record batch per call. The file appears under its name with <see cref="Commit"/>, whole
/// or not at all. The same rows in the same batches give the same bytes. Not thread-safe.
/// </summary>
public sealed class ArrowTableWriter : IDisposable
{
    private readonly string path;
    private readonly FileStream stream;
    private readonly ArrowFileWriter writer;
    private readonly Schema schema;
    private bool closed;

    public ArrowTableWriter(string path, EventSchema schema, IReadOnlyDictionary<string, string>? metadata = null)
    {
        this.path = path;
        this.schema = ArrowFields.ToArrow(schema, metadata ?? new Dictionary<string, string>(StringComparer.Ordinal));
        stream = DurableFile.Create(path);
        writer = new ArrowFileWriter(stream, this.schema, leaveOpen: true);
        writer.WriteStart();
    }

    public long Rows { get; private set; }

    public void Write(EventBatch batch)
    {
        using var records = RecordBatches.Build(batch, schema);
        writer.WriteRecordBatch(records);
        Rows += batch.Count;
    }

    public void Commit()
    {
        writer.WriteEnd();
        writer.Dispose();
        closed = true;
        DurableFile.Commit(stream, path);
    }

    /// <summary>Without a commit the file does not come to be.</summary>
    public void Dispose()
    {
        if (closed)
            return;
        closed = true;
        writer.Dispose();
        stream.Dispose();
        File.Delete(stream.Name);
    }
}
