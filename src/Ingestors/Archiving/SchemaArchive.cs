using StreamMl.Infrastructure.Archive;
using StreamMl.Infrastructure.Avro;

namespace StreamMl.Ingestors.Archiving;

/// <summary>Keeps the writer schemas that records name beside them. An id that no registry knows is noted as such: its records are dead letters. One thread.</summary>
/// <param name="layout">Where the archive is.</param>
/// <param name="schemaOf">The schema of an id; null where the registry has none. It tries again by itself while the registry cannot be reached.</param>
internal sealed class SchemaArchive(ArchiveLayout layout, Func<int, CancellationToken, string?> schemaOf)
{
    /// <summary>Garbage may name any number of ids: beyond this many they are looked up again.</summary>
    private const int KnownMax = 10_000;

    private readonly HashSet<int> known = [];
    private int last = -1;

    public void Keep(ReadOnlySpan<byte> value, CancellationToken cancellationToken)
    {
        if (!ConfluentWire.TryReadSchemaId(value, out var id, out _) || id == last)
            return;
        last = id;
        if (known.Contains(id) || layout.HasSchema(id))
            return;
        if (known.Count >= KnownMax)
            known.Clear();
        if (schemaOf(id, cancellationToken) is { } schema)
            layout.SaveSchema(id, schema);
        else
            layout.SaveNoSchema(id);
        known.Add(id);
    }
}
