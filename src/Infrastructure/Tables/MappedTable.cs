using Apache.Arrow;
using Apache.Arrow.Ipc;
using StreamMl.Infrastructure.Archive;
using StreamMl.Shared.Events;

namespace StreamMl.Infrastructure.Tables;

/// <summary>
/// An uncompressed Arrow IPC file with all its record batches, whose buffers lie in mapped memory: opening it reads the batches' headers and copies no
/// value. The batches are valid until <see cref="Dispose"/>. Thread-safe for reading.
/// </summary>
public sealed class MappedTable : IDisposable
{
    private readonly SharedFile file;
    private readonly ArrowStreamReader reader;

    /// <exception cref="InvalidDataException">Not a complete Arrow IPC file.</exception>
    public MappedTable(string path)
    {
        file = new SharedFile(path);
        reader = file.OpenArrow();
        (Schema, Columns, _) = ArrowFields.FromArrow(Path.GetFileNameWithoutExtension(path), reader.Schema);
        var batches = new List<RecordBatch>();
        while (reader.ReadNextRecordBatch() is { } batch)
            batches.Add(batch);
        Batches = batches;
    }

    /// <summary>The columns that can be read as fields.</summary>
    public EventSchema Schema { get; }

    /// <summary>By field of <see cref="Schema"/>, its column in the batches.</summary>
    public IReadOnlyList<int> Columns { get; }

    public IReadOnlyList<RecordBatch> Batches { get; }

    public void Dispose()
    {
        foreach (var batch in Batches)
            batch.Dispose();
        reader.Dispose();
        file.Dispose();
    }
}
