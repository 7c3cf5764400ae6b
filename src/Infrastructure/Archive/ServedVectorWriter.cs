using StreamMl.Infrastructure.Tables;
using StreamMl.Shared.Events;
using StreamMl.Shared.Features;

namespace StreamMl.Infrastructure.Archive;

/// <summary>
/// Keeps what a service answered, so that <c>parity</c> can recompute it: <c>&lt;dir&gt;/served/&lt;service&gt;/&lt;writer&gt;-&lt;n&gt;.arrow</c>.
/// A file appears when it is full or on <see cref="Roll"/> or <see cref="Dispose"/>; rows since the last are lost with the process, which
/// costs a sample and no correctness. Thread-safe.
/// </summary>
public sealed class ServedVectorWriter : IDisposable
{
    private const int BatchRows = 4096;

    private readonly ServedVectorSchema schema;
    private readonly string directory;
    private readonly string writerName;
    private readonly int rowsPerFile;
    private readonly EventSchema table;
    private readonly EventBatch batch;
    private readonly Lock gate = new();
    private ArrowTableWriter? file;
    private int sequence;

    /// <param name="directory">The installation's directory, above <c>served/</c>.</param>
    /// <param name="schema">The service's shape.</param>
    /// <param name="writer">Tells writers of one service apart, such as the worker's name; letters, digits and '_'.</param>
    /// <param name="rowsPerFile">Rows after which a file is completed; default 65,536.</param>
    public ServedVectorWriter(string directory, ServedVectorSchema schema, string writer = "scorer", int rowsPerFile = 65_536)
    {
        this.schema = schema;
        this.directory = ServedVectorSchema.DirectoryOf(directory, schema.Service);
        writerName = writer;
        this.rowsPerFile = rowsPerFile;
        table = schema.ToTable();
        batch = new EventBatch(table, BatchRows);
        Directory.CreateDirectory(this.directory);
        while (File.Exists(PathOf(sequence)))
            sequence++;
    }

    /// <summary>Rows appended since the writer was made.</summary>
    public long Rows { get; private set; }

    /// <param name="asOfUs">The time of the read.</param>
    /// <param name="trigger">Partition and offset of the event that triggered it, or null.</param>
    /// <param name="keys">Canonical texts in the order of <see cref="ServedVectorSchema.Keys"/>; null where the key is null.</param>
    /// <param name="positions">Per view.</param>
    /// <param name="row">The answer.</param>
    public void Append(long asOfUs, (int Partition, long Offset)? trigger, IReadOnlyList<string?> keys, ReadOnlySpan<ServedPosition> positions, FeatureRow row)
    {
        if (keys.Count != schema.Keys.Count || positions.Length != schema.Views.Count)
            throw new ArgumentException($"service '{schema.Service}' has {schema.Keys.Count} keys and {schema.Views.Count} views; {keys.Count} keys and {positions.Length} positions were given", nameof(keys));
        lock (gate)
        {
            var at = batch.NextRow();
            batch.Columns[0].Set(at, asOfUs);
            Set(1, at, trigger is not null, trigger?.Partition ?? 0);
            Set(2, at, trigger is not null, trigger?.Offset ?? 0);
            for (var i = 0; i < keys.Count; i++)
                Set(ServedVectorSchema.FirstKey + i, at, keys[i] is not null, keys[i] is { } key ? batch.Arena.Append(key) : 0);
            for (var i = 0; i < positions.Length; i++)
                SetPosition(schema.FirstView + (3 * i), at, positions[i]);
            for (var i = 0; i < schema.Columns.Count; i++)
                SetFeature(i, at, row);
            batch.Count++;
            Rows++;
            if (batch.Count == BatchRows)
                Flush();
            if (file is not null && file.Rows >= rowsPerFile)
                Complete();
        }
    }

    /// <summary>Completes the pending file, so that readers see it.</summary>
    public void Roll()
    {
        lock (gate)
        {
            Flush();
            Complete();
        }
    }

    public void Dispose() => Roll();

    private string PathOf(int number) => Path.Combine(directory, ServedVectorSchema.FileName(writerName, number));

    private void Set(int column, int row, bool valid, long lane)
    {
        if (valid)
            batch.Columns[column].Set(row, lane);
        else
            batch.Columns[column].SetNull(row);
    }

    private void SetPosition(int column, int row, ServedPosition position)
    {
        var isRead = position.Partition >= 0;
        Set(column, row, isRead, position.Partition);
        Set(column + 1, row, isRead, position.NextOffset);
        Set(column + 2, row, isRead, position.WatermarkUs);
    }

    private void SetFeature(int index, int at, FeatureRow row)
    {
        var isText = schema.Columns[index].Type == FieldType.String;
        var valid = row.Valid[index] != 0;
        Set(schema.FirstColumn + index, at, valid, valid && isText ? batch.Arena.Append(row.Arena.Slice(row.Lanes[index])) : row.Lanes[index]);
    }

    private void Flush()
    {
        if (batch.Count == 0)
            return;
        file ??= new ArrowTableWriter(PathOf(sequence), table, new Dictionary<string, string>(StringComparer.Ordinal)
        {
            [ServedVectorSchema.ServiceMetadata] = schema.Service,
            [ServedVectorSchema.HashMetadata] = schema.ServiceHash,
        });
        file.Write(batch);
        batch.Clear();
    }

    private void Complete()
    {
        if (file is null)
            return;
        file.Commit();
        file = null;
        sequence++;
    }
}
