using StreamMl.Infrastructure.Catalogs;
using StreamMl.Shared.Definitions;

namespace StreamMl.Integration.Tests.Chaos.Flow;

/// <summary>Purchases: a filtered view by the topic's key, and two by shop (one filtered), which read a repartition topic.</summary>
internal static class ChaosCatalog
{
    public const string Topic = "purchases";

    public const string Service = "all_of_it";

    public const string Avro = """
        {"type":"record","name":"Purchase","fields":[
          {"name":"user","type":"string"},
          {"name":"at","type":{"type":"long","logicalType":"timestamp-micros"}},
          {"name":"shop","type":["null","string"],"default":null},
          {"name":"amount","type":["null","double"],"default":null}]}
        """;

    /// <summary>Writes the catalogue as a user would have it, and loads it as the workers do.</summary>
    public static (string Path, Catalog Catalog) Write(string directory, int partitions)
    {
        var path = Path.Combine(directory, "catalog.yaml");
        File.WriteAllText(Path.Combine(directory, "purchase.avsc"), Avro);
        File.WriteAllText(path, $$"""
            catalog: chaos
            sources:
              {{Topic}}: { schema: purchase.avsc, eventTime: at, key: user, partitions: {{partitions}} }
            entities:
              user: user
              shop: shop
            views:
              user_spend:
                source: {{Topic}}
                entity: user
                where: amount is not null
                features: [count, sum(amount), mean(amount), last(shop), max(amount) over 24h as best, count_distinct(shop) over 24h as shops]
                windows: [5m, 1h]
              shop_sales:
                source: {{Topic}}
                entity: shop
                features: [count, sum(amount), mean(amount), last(user) over 1h as buyer, count_distinct(user) over 1h as users]
                windows: [5m, 1h]
              shop_large:
                source: {{Topic}}
                entity: shop
                where: amount > 50
                features: [count, sum(amount), min(amount) over 24h as least, time_since_last over 24h as quiet]
                windows: [1h, 24h]
            services:
              {{Service}}:
                features: [user_spend.*, shop_sales.*, shop_large.*]
            """);
        return (path, CatalogFile.Load(path).Require());
    }
}
