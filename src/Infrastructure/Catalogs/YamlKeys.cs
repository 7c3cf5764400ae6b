namespace StreamMl.Infrastructure.Catalogs;

/// <summary>The keys that each part of a catalogue file may have. docs/catalog.schema.json says the same; a test compares them.</summary>
internal static class YamlKeys
{
    public static readonly string[] Catalog = ["catalog", "doc", "include", "sources", "entities", "views", "services"];

    public static readonly string[] Source = ["doc", "topic", "schema", "eventTime", "key", "maxFutureSkew", "partitions"];

    public static readonly string[] View =
        ["doc", "source", "entity", "entities", "key", "where", "derive", "features", "windows", "hop", "allowedLateness", "idleLimit"];

    public static readonly string[] Service = ["doc", "trigger", "features", "servingDelay"];
}
