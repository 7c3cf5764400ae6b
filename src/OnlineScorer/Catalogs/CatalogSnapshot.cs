using StreamMl.FeatureEngine.Validation;
using StreamMl.Infrastructure.Avro;
using StreamMl.Infrastructure.Catalogs;
using StreamMl.Shared.Definitions;

namespace StreamMl.OnlineScorer.Catalogs;

/// <summary>A catalogue's files as they were read once: what they define, or what is wrong with them. Immutable.</summary>
internal sealed class CatalogSnapshot
{
    private readonly Dictionary<string, string> texts;

    private CatalogSnapshot(Dictionary<string, string> texts, Catalog? catalog, string? problem) => (this.texts, Catalog, Problem) = (texts, catalog, problem);

    /// <summary>Null where <see cref="Problem"/> is not.</summary>
    public Catalog? Catalog { get; }

    public string? Problem { get; }

    public static CatalogSnapshot Read(string path)
    {
        var read = new Dictionary<string, string>(StringComparer.Ordinal);
        try
        {
            var result = CatalogValidator.Validate(CatalogFile.Load(path, AvroSchemaReader.ReadEventSchema, file => read[file] = File.ReadAllText(file)));
            return result.Catalog is not null && !result.HasErrors
                ? new CatalogSnapshot(read, result.Require(), null)
                : new CatalogSnapshot(read, null, string.Join("; ", result.Diagnostics.Where(d => d.Severity == Severity.Error)));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return new CatalogSnapshot(read, null, e.Message);
        }
    }

    /// <summary>The files of a catalogue that was loaded before; where they define another one by now, none is current.</summary>
    public static CatalogSnapshot Of(string path, Catalog catalog) =>
        Read(path) is { Catalog: { } found } now && Hashes(found).SetEquals(Hashes(catalog)) ? now : new CatalogSnapshot([], catalog, null);

    private static HashSet<string> Hashes(Catalog catalog) =>
        [.. catalog.Views.Select(v => CanonicalForm.Of(v, catalog.Source(v.Source))), .. catalog.Services.Select(s => CanonicalForm.Of(s, catalog))];

    /// <summary>Whether the files are still these.</summary>
    public bool IsCurrent()
    {
        try
        {
            return texts.Count > 0 && texts.All(t => File.ReadAllText(t.Key) == t.Value);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }
}
