using StreamMl.Infrastructure.Avro;
using StreamMl.Shared.Definitions;

namespace StreamMl.StreamFeatures.Tests.Lab;

/// <summary>Landings of aircraft: one view by the topic's key, two by origin (one filtered), one global.</summary>
internal static class TestCatalog
{
    public const string Topic = "landings";

    public const string Avro = """
        {"type":"record","name":"Landing","fields":[
          {"name":"tail","type":"string"},
          {"name":"at","type":{"type":"long","logicalType":"timestamp-micros"}},
          {"name":"origin","type":["null","string"],"default":null},
          {"name":"delay","type":["null","double"],"default":null}]}
        """;

    public static SourceDefinition Source { get; } = new()
    {
        Name = "landings",
        Topic = Topic,
        AvroSchema = Avro,
        Schema = AvroSchemaReader.ReadEventSchema(Avro),
        EventTimeField = "at",
        KeyFields = ["tail"],
        Partitions = 2,
    };

    public static Catalog Catalog { get; } = new(
        "test",
        [Source],
        [new("aircraft", ["tail"]), new("airport", ["origin"]), new("all", [])],
        [
            View("aircraft_landed", "aircraft", ["tail"], null),
            View("origin_landed", "airport", ["origin"], null),
            View("origin_late", "airport", ["origin"], "delay > 15"),
            View("all_landed", "all", [], null),
        ],
        []);

    public static Catalog With(params string[] views) => Catalog with { Views = [.. Catalog.Views.Where(v => views.Contains(v.Name))] };

    private static ViewDefinition View(string name, string entity, string[] keys, string? filter) => new()
    {
        Name = name,
        Source = "landings",
        Entity = entity,
        KeyFields = keys,
        Filter = filter,
        AllowedLateness = TimeSpan.FromMinutes(2),
        Features =
        [
            Feature("count_5m", new("count"), 5), Feature("mean_5m", new("mean", "delay"), 5), Feature("sum_1h", new("sum", "delay"), 60),
            Feature("distinct_1h", new("count_distinct", "tail", 20), 60), Feature("last_1h", new("last", "tail"), 60),
        ],
    };

    private static FeatureDefinition Feature(string name, Aggregation aggregation, int minutes) => new(name, aggregation, new TrailingWindow(TimeSpan.FromMinutes(minutes)));
}
