using System.Globalization;
using StreamMl.FeatureEngine.Validation;
using StreamMl.Infrastructure.Catalogs;
using StreamMl.Shared.Definitions;

namespace StreamMl.OnlineScorer.Tests.Catalogs;

/// <summary>The lab's trips as catalogue files, whose one service reads two views of two logs.</summary>
internal sealed class CatalogFiles : IDisposable
{
    private readonly string directory = Directory.CreateTempSubdirectory("streamml-catalog-").FullName;

    private readonly string topic;
    private readonly string destinations;

    /// <param name="where">The filter of its views.</param>
    /// <param name="topic">Of its source.</param>
    /// <param name="twoLogs">False: both views read the source's own topic.</param>
    public CatalogFiles(string where, string topic = "trips", bool twoLogs = true)
    {
        (this.topic, destinations) = (topic, twoLogs ? "destination" : "origin");
        File.WriteAllText(System.IO.Path.Combine(directory, "trips.avsc"), ServingLab.Avro);
        Put(where);
    }

    public string Path => System.IO.Path.Combine(directory, "catalog.yaml");

    public Catalog Load() => CatalogValidator.Validate(CatalogFile.Load(Path)).Require();

    /// <summary>Puts a file in the place of the present one, as `mv` does.</summary>
    public void Put(string where)
    {
        var next = System.IO.Path.Combine(directory, "next.yaml");
        File.WriteAllText(next, string.Create(CultureInfo.InvariantCulture, $$"""
            catalog: lab
            sources:
              trips: { topic: {{topic}}, schema: trips.avsc, eventTime: at, key: origin, partitions: 3 }
            entities: { origin: origin, destination: dest }
            views:
              by_origin: { source: trips, entity: origin, where: "{{where}}", windows: [1h], features: [count, mean(delay), last(dest)] }
              by_dest: { source: trips, entity: {{destinations}}, where: "{{where}}", windows: [1h], features: [count, last(origin)] }
            services:
              both: { features: [by_origin.*, by_dest.*] }
            """));
        File.Move(next, Path, overwrite: true);
    }

    public void Dispose() => Directory.Delete(directory, recursive: true);
}
