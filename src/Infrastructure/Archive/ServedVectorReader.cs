using StreamMl.Infrastructure.Tables;
using StreamMl.Shared.Events;

namespace StreamMl.Infrastructure.Archive;

/// <summary>
/// The served vectors of a service, file by file in the order of their names, as a table of <see cref="ServedVectorSchema.ToTable"/>. Each file
/// is checked to be of that shape and of the schema's hash. Not thread-safe.
/// </summary>
public sealed class ServedVectorReader : IDisposable
{
    private readonly ServedVectorSchema schema;
    private readonly bool leaveOutOthers;
    private readonly Queue<string> files;
    private readonly SortedDictionary<string, int> others = new(StringComparer.Ordinal);
    private TableReader? current;

    /// <param name="directory">The installation's, above <c>served/</c>.</param>
    /// <param name="schema">The service's shape.</param>
    /// <param name="leaveOutOthers">Files that another definition of the service wrote are left out and counted in <see cref="LeftOut"/>. Default: they are refused.</param>
    /// <exception cref="DirectoryNotFoundException">Nothing was served under this directory.</exception>
    public ServedVectorReader(string directory, ServedVectorSchema schema, bool leaveOutOthers = false)
    {
        this.schema = schema;
        this.leaveOutOthers = leaveOutOthers;
        Table = schema.ToTable();
        var path = ServedVectorSchema.DirectoryOf(directory, schema.Service);
        Files = Directory.Exists(path)
            ? [.. Directory.EnumerateFiles(path, "*.arrow").Order(StringComparer.Ordinal)]
            : throw new DirectoryNotFoundException($"there is no {path}: service '{schema.Service}' has not served anything that was kept. Let it answer requests or triggers first");
        files = new Queue<string>(Files);
    }

    public IReadOnlyList<string> Files { get; }

    public EventSchema Table { get; }

    /// <summary>How many files were left out so far, by the first digits of the definition that wrote them.</summary>
    public IReadOnlyDictionary<string, int> LeftOut => others;

    /// <summary>Clears the batch (of <see cref="Table"/>) and fills it with the next vectors. False behind the last.</summary>
    /// <exception cref="InvalidDataException">A file was written by another definition of the service.</exception>
    public bool Read(EventBatch into, int maxRows)
    {
        while (true)
        {
            if (current is null)
            {
                if (!files.TryDequeue(out var path))
                    return false;
                current = Open(path);
                if (current is null)
                    continue;
            }

            if (current.Read(into, maxRows))
                return true;
            current.Dispose();
            current = null;
        }
    }

    public void Dispose() => current?.Dispose();

    /// <returns>Null: it is left out.</returns>
    private ArrowTableReader? Open(string path)
    {
        var reader = new ArrowTableReader(path);
        var hash = reader.Metadata.GetValueOrDefault(ServedVectorSchema.HashMetadata, "none");
        if (hash == schema.ServiceHash && reader.Schema.Fields.Select(f => (f.Name, f.Type)).SequenceEqual(Table.Fields.Select(f => (f.Name, f.Type))))
            return reader;
        reader.Dispose();
        var definition = hash[..Math.Min(8, hash.Length)];
        if (hash == schema.ServiceHash || !leaveOutOthers)
            throw new InvalidDataException($"{path} was served by definition {definition} of service '{schema.Service}', the catalogue has {schema.ServiceHash[..8]}: check it with the catalogue of that time, or move the file away");
        others[definition] = others.GetValueOrDefault(definition) + 1;
        return null;
    }
}
