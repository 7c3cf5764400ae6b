using StreamMl.Infrastructure.Catalogs;
using StreamMl.Shared.Definitions;

namespace StreamMl.Infrastructure.Tests.Catalogs;

public sealed class FlightsCatalogTests
{
    [Fact]
    public void Load_FlightsSample_HasAllThatTheIssueNames()
    {
        var catalog = CatalogFile.Load(RepositoryRoot.FlightsCatalog).Require();

        catalog.Name.ShouldBe("flights");
        catalog.Sources.Select(s => s.Name).ShouldBe(["flight-schedules", "departures", "landings", "weather"]);
        catalog.Sources.ShouldAllBe(s => s.Partitions == 2);
        catalog.Entity("all").Keys.ShouldBeEmpty();
        catalog.Views.Count.ShouldBe(16);
        catalog.View("origin_carrier_landed").Features.Select(f => f.Name).ShouldContain("mean_arr_delay_1h");
        catalog.View("origin_landed").Features.Count.ShouldBe(16);
        catalog.View("weather").Features.Select(f => f.Name).ShouldBe(
            ["last_temp", "last_dewp", "last_humid", "last_wind_dir", "last_wind_speed", "last_wind_gust", "last_precip", "last_pressure", "last_visib", "time_since_last"]);
        catalog.View("route_landed").KeyFields.ShouldBe(["origin", "dest"]);
        catalog.Service("arrival_delay").Features.Count.ShouldBe((14 * 16) + 3 + 10);
        catalog.View("origin_landed").Derive.ShouldHaveSingleItem().Expression.ShouldBe("arr_delay > 15");
        CanonicalForm.ServiceHash(catalog.Service("arrival_delay"), catalog).Length.ShouldBe(64);
    }
}
