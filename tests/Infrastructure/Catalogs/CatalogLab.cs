using StreamMl.FeatureEngine.Validation;
using StreamMl.Infrastructure.Avro;
using StreamMl.Infrastructure.Catalogs;
using StreamMl.Shared.Definitions;
using StreamMl.Shared.Definitions.Building;

namespace StreamMl.Infrastructure.Tests.Catalogs;

/// <summary>Loads catalogues from texts: no files.</summary>
internal static class CatalogLab
{
    public const string Landing = """
        {"type":"record","name":"Landing","fields":[
          {"name":"event_time","type":{"type":"long","logicalType":"timestamp-millis"}},
          {"name":"origin","type":"string"},{"name":"dest","type":"string"},{"name":"flight","type":"int"},{"name":"arr_delay","type":"int"},
          {"name":"air_time","type":["null","double"],"default":null},{"name":"diverted","type":"boolean"}]}
        """;

    /// <summary>A source, its entities, and room for views: the text that most tests start with. It has 5 lines.</summary>
    public const string Head = """
        sources:
          landings: { schema: landing.avsc, key: origin }
        entities:
          origin: origin
          route: [origin, dest]

        """;

    public static CatalogResult Load(string yaml, params (string Path, string Text)[] more)
    {
        var files = more.ToDictionary(f => f.Path, f => f.Text, StringComparer.Ordinal);
        files["catalog.yaml"] = yaml;
        files["landing.avsc"] = Landing;
        return CatalogValidator.Validate(new CatalogLoader(AvroSchemaReader.ReadEventSchema, p => files[p], files.ContainsKey).Load("catalog.yaml"));
    }

    public static Catalog LoadGood(string yaml, params (string Path, string Text)[] more) => Load(yaml, more).Require();

    /// <summary>Loads a catalogue with one view over the landings of an origin.</summary>
    public static ViewDefinition View(string body) => LoadGood($"{Head}views:\n  v:\n    source: landings\n    entity: origin\n{Indent(body)}").View("v");

    public static string Indent(string body) => string.Concat(body.Split('\n').Select(l => $"    {l}\n"));
}
