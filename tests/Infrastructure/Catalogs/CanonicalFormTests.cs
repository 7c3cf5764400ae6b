using StreamMl.Shared.Definitions;

namespace StreamMl.Infrastructure.Tests.Catalogs;

/// <summary>
/// The canonical form is a contract: store keys, training sets and models carry its hash. A change here makes every installation compute
/// its features anew.
/// </summary>
public sealed class CanonicalFormTests
{
    private const string Yaml = """
        views:
          v:
            source: landings
            entity: route
            where: "not(diverted) and dest in ('JFK','LGA')"
            derive: { late: arr_delay>15 }
            features: [mean(late), count, last_k(dest, 3), max(arr_delay) over 24h, 7d as worst]
            windows: [30m, 24h]
            allowedLateness: 60m
            hop: 15m
        services:
          s: { trigger: landings, servingDelay: 1m, features: [v.count_*, v.last_k(*)] }
        """;

    private const string Wanted = """
        {"view":"v","topic":"landings","eventTime":"event_time","maxFutureSkewMs":300000,"key":["origin","dest"],
        "filter":"not diverted and dest in ('JFK', 'LGA')","derive":{"late":"arr_delay > 15"},"allowedLatenessMs":3600000,"hop":"15m","features":{
        "count_24h":"count over 24h","count_30m":"count over 30m","last_k_dest":"last_k(dest, 3) over lifetime","mean_late_24h":"mean(late) over 24h",
        "mean_late_30m":"mean(late) over 30m","worst_24h":"max(arr_delay) over 24h","worst_7d":"max(arr_delay) over 7d"}}
        """;

    [Fact]
    public void Of_View_IsThisText()
    {
        var catalog = CatalogLab.LoadGood(CatalogLab.Head + Yaml);
        var form = CanonicalForm.Of(catalog.View("v"), catalog.Source("landings"));
        form.ShouldBe(Wanted.ReplaceLineEndings(""));
        CanonicalForm.Hash(form).ShouldBe("bfffcb2f3dd3f7ec4352acc08e31c7993ed0e091116f958494328fac4a030b59");
        CanonicalForm.ServiceHash(catalog.Service("s"), catalog).ShouldBe("a7a3a04c91fce47ff88ac81065608cb0675b39c00b2c6acc429bd32da24c20db");
    }

    [Fact]
    public void Of_SameDefinitionInAnotherStyle_IsTheSame()
    {
        var other = CatalogLab.LoadGood(CatalogLab.Head + Yaml
            .Replace("\"not(diverted) and dest in ('JFK','LGA')\"", "NOT diverted AND (dest IN ('JFK', 'LGA'))", StringComparison.Ordinal)
            .Replace("[mean(late), count, ", "[count, mean( late ), ", StringComparison.Ordinal)
            .Replace("60m", "1h", StringComparison.Ordinal));
        var catalog = CatalogLab.LoadGood(CatalogLab.Head + Yaml);
        CanonicalForm.ViewHash8(other.View("v"), other.Source("landings")).ShouldBe(CanonicalForm.ViewHash8(catalog.View("v"), catalog.Source("landings")));
    }
}
