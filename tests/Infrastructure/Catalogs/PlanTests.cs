using StreamMl.FeatureEngine.Planning;
using StreamMl.FeatureEngine.Validation;
using StreamMl.Infrastructure.Avro;
using StreamMl.Infrastructure.Catalogs;
using StreamMl.Shared.Definitions;
using StreamMl.Shared.Log;

namespace StreamMl.Infrastructure.Tests.Catalogs;

public sealed class PlanTests
{
    private const string View = "views:\n  v: { source: landings, entity: route, features: [count, mean(arr_delay)], windows: [1h, 6h] }\n";

    [Fact]
    public void Plan_View_PredictsLogTilesAndBytes()
    {
        var view = CatalogPlanner.Plan(CatalogLab.LoadGood(CatalogLab.Head + View)).Views.ShouldHaveSingleItem();

        view.Log.ShouldBe("landings.by.origin-dest");
        view.IsRepartitioned.ShouldBeTrue();
        view.Outputs.Count.ShouldBe(4);
        // 1h on 1m: 60 + 1 tiles; with 10m of lateness 71 are kept. 6h on 15m: 24 + 1; kept 24 + 1 + 1.
        view.Levels.Select(l => (l.Hop, l.TilesKept)).ShouldBe([(TimeSpan.FromMinutes(1), 71), (TimeSpan.FromMinutes(15), 26)]);
        view.TilesPerRead.ShouldBe(61 + 25);
        // A tile: start, row count, value count, sum.
        view.Levels.ShouldAllBe(l => l.TileBytes == 32);
        view.BytesWorst.ShouldBe(17 + 4 + (71 * 32) + 4 + (26 * 32));
        view.BytesTypical.ShouldBe(17 + 4 + (2 * 32) + 4 + (7 * 32));
        view.ForgetAfter.ShouldBe(TimeSpan.FromMinutes(360 + 10 + 15));
    }

    [Fact]
    public void Plan_SoManyEntities_TheStoreIsTooSmallForThemOrMayBe()
    {
        var catalog = CatalogLab.LoadGood(CatalogLab.Head + View + "  o: { source: landings, entity: origin, features: [count over 1h] }\n");
        var options = new PlanOptions { Entities = new Dictionary<string, long>(StringComparer.Ordinal) { ["route"] = 100_000 }, OtherEntities = 500 };
        var size = CatalogPlanner.Plan(catalog, options: options).Store!;
        size.Entities.ShouldBe(new Dictionary<string, long>(StringComparer.Ordinal) { ["route"] = 100_000, ["origin"] = 500 }, ignoreOrder: true);
        size.BytesTypical.ShouldBeGreaterThan(100_000 * (17 + 4 + (2 * 32) + 4 + (7 * 32)));
        CatalogPlan With(long limit) => CatalogPlanner.Plan(catalog, options: options, running: new RunningState(null, null, null) { Memory = new StoreMemory(1_000_000, limit, IsMachines: false) });

        With(size.BytesWorst).Diagnostics.ShouldBeEmpty();
        With(size.BytesWorst - 1).Diagnostics.ShouldHaveSingleItem().Severity.ShouldBe(Severity.Warning);
        var error = With(size.BytesTypical - 1).Diagnostics.ShouldHaveSingleItem();
        error.Severity.ShouldBe(Severity.Error);
        error.Message.ShouldContain("maxmemory");
        CatalogPlanner.Plan(catalog, options: new PlanOptions { OtherEntities = long.MaxValue }).Store!.BytesWorst.ShouldBe(1_000_000_000_000_000_000, "more than any store has");
        PlanText.Write(With(size.BytesTypical - 1)).ShouldContain("100,000 route, 500 origin; it has maxmemory");
    }

    [Fact]
    public void Plan_EntitiesThatAreNotThereOrNotCounted_SaysWhich()
    {
        var catalog = CatalogLab.LoadGood(CatalogLab.Head + View + "  o: { source: landings, entity: origin, features: [count over 1h] }\n");
        CatalogPlan With(string name, long? others) => CatalogPlanner.Plan(catalog, options: new PlanOptions { Entities = new Dictionary<string, long>(StringComparer.Ordinal) { [name] = 1 }, OtherEntities = others });
        Should.Throw<ArgumentException>(() => With("plane", 5)).Message.ShouldBe("'plane' is no entity of a view: there are route, origin");
        Should.Throw<ArgumentException>(() => With("route", null)).Message.ShouldContain("origin is not said");
    }

    [Fact]
    public void Plan_Flights_HasNoFindingsAndAText()
    {
        var catalog = CatalogValidator.Validate(CatalogFile.Load(RepositoryRoot.FlightsCatalog));
        catalog.Diagnostics.ShouldBeEmpty();
        var plan = CatalogPlanner.Plan(catalog.Catalog);
        plan.RepartitionTopics.Count.ShouldBe(2 * 6);
        var service = plan.Services.ShouldHaveSingleItem();
        service.StateKeys.ShouldBe(16);
        service.Columns.ShouldBe(237);
        var text = PlanText.Write(plan);
        text.ShouldContain("origin_landed@");
        text.ShouldContain("  landings.by.tailnum  ");
        text.ShouldContain("  7d 6h 10m");
    }

    [Fact]
    public void Plan_AgainstThePrevious_NamesWhatChanged()
    {
        var before = CatalogLab.LoadGood(CatalogLab.Head + View + "  gone: { source: landings, entity: origin, features: [count over 1h] }\n");
        var after = CatalogLab.LoadGood(CatalogLab.Head + View.Replace("6h]", "7d]", StringComparison.Ordinal) + "  new: { source: landings, entity: origin, features: [count over 1h] }\n");
        var plan = CatalogPlanner.Plan(after, before);

        plan.Changes.Select(c => (c.Kind, c.Name)).ShouldBe([(ChangeKind.Changed, "v"), (ChangeKind.Added, "new"), (ChangeKind.Removed, "gone")]);
        plan.Changes[0].Details.ShouldContain("features.count_7d: added count over 7d");
        plan.Changes[0].Details.ShouldContain("features.count_6h: removed, was count over 6h");
        CatalogPlanner.Plan(after, after).Changes.ShouldBeEmpty();
        PlanText.Write(plan).ShouldContain("changed view v.");
    }

    [Fact]
    public void Plan_AgainstWhatRuns_NamesNewChangedAndLeftOverViews()
    {
        var catalog = CatalogLab.LoadGood(CatalogLab.Head + View + "  kept: { source: landings, entity: origin, features: [count over 1h] }\n  new: { source: landings, entity: origin, features: [count over 1h] }\n");
        var hash = CanonicalForm.ViewHash8(catalog.View("kept"), catalog.Source("landings"));
        var log = new PartitionId("landings", 0);
        var running = new RunningState([new(log, "kept", hash), new(log, "kept", "00000000"), new(log, "v", "11111111"), new(log, "gone", "22222222")], null, null);
        var plan = CatalogPlanner.Plan(catalog, running: running);

        plan.Changes.Select(c => (c.Kind, c.What, c.Name)).ShouldBe(
            [(ChangeKind.Changed, "view", "v"), (ChangeKind.Removed, "version of view", "kept"), (ChangeKind.Added, "view", "new"), (ChangeKind.Removed, "view", "gone")]);
        plan.Changes[0].Details.ShouldHaveSingleItem().ShouldStartWith("stored as v@11111111, now v@");
        plan.Changes[1].Details.ShouldBe(["stored as kept@00000000"]);
        CatalogPlanner.Plan(catalog, running: new RunningState(null, null, null)).Changes.ShouldBeEmpty();
    }

    [Fact]
    public void Plan_AgainstRegistryAndKafka_IncompatibleSchemaAndPartitionsAreErrorsAtTheirPlace()
    {
        var catalog = CatalogLab.LoadGood(CatalogLab.Head + View);
        var source = catalog.Source("landings");
        var registered = source.AvroSchema.Replace("\"arr_delay\"", "\"delay\"", StringComparison.Ordinal);
        var running = new RunningState(
            null,
            new Dictionary<string, string>(StringComparer.Ordinal) { [source.Topic] = registered },
            new Dictionary<string, int>(StringComparer.Ordinal) { [source.Topic] = source.Partitions, ["landings.by.origin-dest"] = source.Partitions + 1 });
        var plan = CatalogPlanner.Plan(catalog, schemaProblems: AvroCompatibility.Check, running: running);

        plan.Diagnostics.Count.ShouldBe(2);
        plan.Diagnostics[0].Message.ShouldContain($"Kafka's topic 'landings.by.origin-dest' has {source.Partitions + 1}");
        plan.Diagnostics[1].Message.ShouldContain("arr_delay");
        plan.Diagnostics.ShouldAllBe(d => d.Severity == Severity.Error && d.Location != null);
    }

    [Fact]
    public void Plan_BreakingSourceChange_IsAnErrorAtItsPlace()
    {
        var before = CatalogLab.LoadGood(CatalogLab.Head);
        var after = CatalogLab.LoadGood(CatalogLab.Head.Replace("key: origin }", "key: dest, partitions: 8 }", StringComparison.Ordinal));
        var changed = after with { Sources = [.. after.Sources.Select(s => s with { AvroSchema = s.AvroSchema.Replace("\"arr_delay\"", "\"delay\"", StringComparison.Ordinal) })] };
        var plan = CatalogPlanner.Plan(changed, before, AvroCompatibility.Check);

        plan.Diagnostics.Select(d => d.Location!.ToString()).ShouldBe(["catalog.yaml:2:60", "catalog.yaml:2:42", "catalog.yaml:2:23"]);
        plan.Diagnostics[2].Message.ShouldContain("delay");
        plan.Diagnostics.ShouldAllBe(d => d.Severity == Severity.Error);
    }
}
