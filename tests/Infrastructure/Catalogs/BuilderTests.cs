using StreamMl.FeatureEngine.Validation;
using StreamMl.Infrastructure.Avro;
using StreamMl.Infrastructure.Catalogs;
using StreamMl.Shared.Definitions;
using StreamMl.Shared.Definitions.Building;

namespace StreamMl.Infrastructure.Tests.Catalogs;

/// <summary>The flights catalogue once more in C#: the same definitions, canonical forms and hashes.</summary>
public sealed class BuilderTests
{
    private static readonly string Flights = Path.GetDirectoryName(RepositoryRoot.FlightsCatalog)!;

    [Fact]
    public void Build_FlightsInCSharp_HasTheCanonicalFormsOfTheFile()
    {
        var file = CatalogFile.Load(RepositoryRoot.FlightsCatalog).Require();
        var built = InCSharp().Require();

        CatalogValidator.Validate(built).ShouldBeEmpty();
        built.Views.Select(v => CanonicalForm.Of(v, built.Source(v.Source))).ShouldBe(file.Views.Select(v => CanonicalForm.Of(v, file.Source(v.Source))));
        built.Services.Select(s => CanonicalForm.Of(s, built)).ShouldBe(file.Services.Select(s => CanonicalForm.Of(s, file)));
        CanonicalForm.ServiceHash(built.Service("arrival_delay"), built).ShouldBe(CanonicalForm.ServiceHash(file.Service("arrival_delay"), file));
    }

    [Fact]
    public void Build_Mistake_NamesTheCallersFileAndLine()
    {
        var result = CatalogValidator.Validate(new CatalogBuilder()
            .Source("landings", s => s.Schema(CatalogLab.Landing, AvroSchemaReader.ReadEventSchema(CatalogLab.Landing)).Key("origin"))
            .Entity("origin", "origin")
            .View("v", v => v.From("landings").Entity("origin").Features(Aggregate.Mean("arr_dely").Over("1h")))
            .Build());
        var diagnostic = result.Diagnostics.ShouldHaveSingleItem();
        diagnostic.Location!.File.ShouldBe("BuilderTests.cs");
        diagnostic.Remedy.ShouldBe("Did you mean `arr_delay`?");
        Should.Throw<CatalogException>(result.Require).Message.ShouldContain("BuilderTests.cs");
    }

    [Fact]
    public void Aggregate_EveryOne_HasTheTextOfAFile() => new[]
    {
        Aggregate.Count, Aggregate.TimeSinceLast, Aggregate.CountOf("x"), Aggregate.LastK("x", 3), Aggregate.CountDistinct("x"), Aggregate.CountDistinct("x", 10),
        Aggregate.Max("x").Over("1h", "24h").As("worst"),
    }.Select(a => a.ToString()).ShouldBe(["count", "time_since_last", "count(x)", "last_k(x, 3)", "count_distinct(x)", "count_distinct(x, 10)", "max(x) over 1h, 24h as worst"]);

    private static CatalogResult InCSharp()
    {
        string[] windows = ["30m", "1h", "6h", "24h", "7d"];
        string[] entities = ["origin", "destination", "carrier", "route", "origin_carrier", "aircraft", "all"];
        var builder = new CatalogBuilder("flights");
        foreach (var source in new[] { "flight-schedules", "departures", "landings", "weather" })
        {
            var avro = File.ReadAllText(Path.Combine(Flights, "schemas", source + ".avsc"));
            builder.Source(source, s => s.Schema(avro, AvroSchemaReader.ReadEventSchema(avro)).Key("origin").Partitions(2));
        }

        builder.Entity("origin", "origin").Entity("destination", "dest").Entity("carrier", "carrier").Entity("route", "origin", "dest")
            .Entity("origin_carrier", "origin", "carrier").Entity("aircraft", "tailnum").Entity("all");
        foreach (var (view, source, delay) in new[] { ("departed", "departures", "dep_delay"), ("landed", "landings", "arr_delay") })
        {
            builder.View(view, v => v.From(source).Entities([.. entities.Select(e => (Located)e)]).Derive("late", $"({delay}>15)")
                .Features(Aggregate.Count, Aggregate.Mean(delay), "mean(late)", Aggregate.Max(delay).Over("1h")).Windows([.. windows.Select(w => (Located)w)]));
        }

        return builder
            .View("aircraft_leg", v => v.From("landings").Entity("aircraft").Features(Aggregate.Last("arr_delay"), Aggregate.Last("dest"), Aggregate.TimeSinceLast))
            .View("weather", v => v.From("weather").Entity("origin").Features(Aggregate.Last("*"), Aggregate.TimeSinceLast))
            .Service("arrival_delay", s => s.Trigger("flight-schedules").Features("*_departed.*", "*_landed.*", "aircraft_leg.*", "weather.*"))
            .Build();
    }
}
