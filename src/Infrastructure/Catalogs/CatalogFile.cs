using StreamMl.Infrastructure.Avro;
using StreamMl.Shared.Definitions.Building;
using StreamMl.Shared.Events;

namespace StreamMl.Infrastructure.Catalogs;

/// <summary>
/// Catalogues as YAML files (docs/catalog.md). Loading reads the files and the Avro schemas that they name, and goes through
/// <see cref="CatalogBuilder"/>; it never throws for what is in them: all is in the diagnostics, with file, line and column.
/// Follow it with CatalogValidator, which knows types. Thread-safe.
/// </summary>
public static class CatalogFile
{
    /// <param name="path">The file; included files and schemas are relative to the file that names them.</param>
    public static CatalogResult Load(string path) => Load(path, AvroSchemaReader.ReadEventSchema);

    /// <param name="path">The file; included files and schemas are relative to the file that names them.</param>
    /// <param name="readSchema">Avro schema (JSON text) to its readable fields; throws <see cref="AvroSchemaException"/> where it is none.</param>
    public static CatalogResult Load(string path, Func<string, EventSchema> readSchema) => Load(path, readSchema, File.ReadAllText);

    /// <param name="path">The file; included files and schemas are relative to the file that names them.</param>
    /// <param name="readSchema">Avro schema (JSON text) to its readable fields; throws <see cref="AvroSchemaException"/> where it is none.</param>
    /// <param name="readFile">Path to text: told of every file that the catalogue consists of.</param>
    public static CatalogResult Load(string path, Func<string, EventSchema> readSchema, Func<string, string> readFile) => new CatalogLoader(readSchema, readFile, File.Exists).Load(path);
}
