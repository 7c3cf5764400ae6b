using StreamMl.Shared.Definitions;

namespace StreamMl.Infrastructure.Tests.Catalogs;

public sealed class CatalogSyntaxTests
{
    [Theory]
    [InlineData("features: [count, mean(arr_delay)]\nwindows: [1h, 24h]", "count_1h count_24h mean_arr_delay_1h mean_arr_delay_24h")]
    [InlineData("features: count\nwindows: 60m", "count_1h")]
    [InlineData("features: [last(dest), first(dest), time_since_last, last_k(arr_delay, 3)]", "last_dest first_dest time_since_last last_k_arr_delay")]
    [InlineData("features: [max(arr_delay) over 1h, 24h, count]\nwindows: [7d]", "max_arr_delay_1h max_arr_delay_24h count_7d")]
    [InlineData("features: [max(arr_delay) over 1h, 24h as worst, count over lifetime]", "worst_1h worst_24h count_lifetime")]
    [InlineData("features: [max(arr_delay) over 1h as worst]", "worst")]
    [InlineData("features:\n  - mean(arr_delay): [1h, 6h]\n  - worst: max(arr_delay) over 7d\n  - count: 5m", "mean_arr_delay_1h mean_arr_delay_6h worst count_5m")]
    [InlineData("features: { mean(arr_delay): [1h], worst: max(arr_delay) over 1h }", "mean_arr_delay_1h worst")]
    [InlineData("features: [{ last_k(arr_delay, 3): [1h] }, { count_distinct(dest, 10): lifetime }]", "last_k_arr_delay_1h count_distinct_dest_lifetime")]
    [InlineData("features: [last(*)]", "last_dest last_flight last_arr_delay last_air_time last_diverted")]
    [InlineData("features: [mean(*)]\nwindows: 1h", "mean_flight_1h mean_arr_delay_1h mean_air_time_1h mean_diverted_1h")]
    public void Features_EveryForm_GivesNames(string body, string names) =>
        string.Join(' ', CatalogLab.View(body).Features.Select(f => f.Name)).ShouldBe(names);

    [Fact]
    public void Features_SplitInParentheses_AreWholeAgain()
    {
        var view = CatalogLab.View("derive: { worst: max(arr_delay, 0, 15), late: if(arr_delay > 15, true, false) }\nfeatures: [last_k(worst, 2), mean(late) over 1h]");
        view.Derive.Select(d => d.Expression).ShouldBe(["max(arr_delay, 0, 15)", "if(arr_delay > 15, true, false)"]);
        view.Features[0].Aggregation.ShouldBe(new Aggregation("last_k", "worst", 2));
    }

    [Fact]
    public void View_AllKeys_AreRead()
    {
        var view = CatalogLab.LoadGood(CatalogLab.Head + """
            views:
              v:
                doc: any text
                source: landings
                entity: route
                key: [dest, origin]
                where: "not diverted AND (arr_delay is not null)"
                derive:
                  late: arr_delay>15
                features: [mean(late), count over lifetime]
                windows: [1h]
                hop: 5m
                allowedLateness: 1h
                idleLimit: 30d
            """).View("v");
        view.KeyFields.ShouldBe(["dest", "origin"]);
        view.Filter.ShouldBe("not diverted and arr_delay is not null");
        view.Derive[0].Expression.ShouldBe("arr_delay > 15");
        view.Hop.ShouldBe(TimeSpan.FromMinutes(5));
        view.AllowedLateness.ShouldBe(TimeSpan.FromHours(1));
        view.IdleLimit.ShouldBe(TimeSpan.FromDays(30));
    }

    [Fact]
    public void Source_NothingSaid_HasDefaults()
    {
        var source = CatalogLab.LoadGood(CatalogLab.Head).Source("landings");
        source.Topic.ShouldBe("landings");
        source.EventTimeField.ShouldBe("event_time");
        source.MaxFutureSkew.ShouldBe(TimeSpan.FromMinutes(5));
        source.Partitions.ShouldBe(4);
    }

    [Fact]
    public void Include_FilesThatIncludeEachOther_AreReadOnce()
    {
        var catalog = CatalogLab.LoadGood(
            "catalog: all\ninclude: [parts/sources.yaml, parts/views.yaml]\n",
            ("parts/sources.yaml", "sources:\n  landings: { schema: landing.avsc, key: origin }\nentities: { origin: origin }\n"),
            ("parts/landing.avsc", CatalogLab.Landing),
            ("parts/views.yaml", "include: ../catalog.yaml\nviews:\n  v: { source: landings, entity: origin, features: [count], windows: [1h] }\n"));
        catalog.View("v").Location!.ToString().ShouldBe(Path.Combine("parts", "views.yaml") + ":3:3");
    }

    [Theory]
    [InlineData("v.*", 4)]
    [InlineData("v.mean_*", 2)]
    [InlineData("v.count_1h", 1)]
    [InlineData("v.mean(arr_delay)", 2)]
    [InlineData("v.last(*)", 1)]
    [InlineData("*.*", 4)]
    [InlineData("v.*_1h, v.*", 4)]
    public void Service_Wildcard_FindsFeatures(string features, int count) =>
        CatalogLab.LoadGood($"""
            {CatalogLab.Head}views:
              v: {"{"} source: landings, entity: origin, features: [mean(arr_delay), count over 1h, last(dest)], windows: [1h, 6h] {"}"}
            services:
              s: {"{"} trigger: landings, servingDelay: 5m, features: [{string.Join(", ", features.Split(", ").Select(f => $"\"{f}\""))}] {"}"}
            """).Service("s").Features.Count.ShouldBe(count);

    [Fact]
    public void Entities_Several_GiveAViewEach()
    {
        var catalog = CatalogLab.LoadGood(CatalogLab.Head + "views:\n  landed: { source: landings, entities: [origin, route], features: [count], windows: [1h] }\n");
        catalog.Views.Select(v => v.Name).ShouldBe(["origin_landed", "route_landed"]);
        catalog.View("route_landed").KeyFields.ShouldBe(["origin", "dest"]);
    }
}
