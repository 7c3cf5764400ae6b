using StreamMl.FeatureEngine.Views;
using StreamMl.Shared.Definitions;
using StreamMl.Shared.Time;

namespace StreamMl.FeatureEngine.Planning;

/// <summary>Predicts what a validated catalogue will run and cost. Pure; thread-safe.</summary>
public static class CatalogPlanner
{
    /// <param name="catalog">Validated, without errors.</param>
    /// <param name="previous">The catalogue that runs now; null: no comparison.</param>
    /// <param name="schemaProblems">(new Avro schema, old one) to the reasons why events of the old cannot be read with the new; null: not compared.</param>
    /// <param name="options">What the estimates assume.</param>
    /// <param name="running">What servers hold; null: not compared.</param>
    /// <exception cref="DefinitionException">A view cannot be computed: validate first.</exception>
    /// <exception cref="ArgumentException">The options count some entities, and not all, or one that is not there.</exception>
    public static CatalogPlan Plan(
        Catalog catalog, Catalog? previous = null, Func<string, string, IReadOnlyList<string>>? schemaProblems = null, PlanOptions? options = null, RunningState? running = null)
    {
        var assumptions = options ?? new PlanOptions();
        var views = catalog.Views.Select(v => PlanView(v, catalog.Source(v.Source), assumptions)).ToList();
        var services = catalog.Services.Select(s => PlanService(s, catalog, views)).ToList();
        schemaProblems ??= (_, _) => [];
        var changes = new List<Change>();
        var diagnostics = new List<Diagnostic>();
        if (running is not null)
        {
            var comparison = new RunningComparison(catalog, running, schemaProblems);
            changes.AddRange(comparison.Changes());
            diagnostics.AddRange(comparison.Diagnostics);
        }

        if (previous is not null)
        {
            var comparison = new CatalogComparison(previous, catalog, schemaProblems);
            changes.AddRange(comparison.Changes());
            diagnostics.AddRange(comparison.Diagnostics);
        }

        var store = assumptions.OtherEntities is null && assumptions.Entities.Count == 0 ? null : StorePlan.Of(views, assumptions, running?.Memory);
        if (store?.Finding() is { } finding)
            diagnostics.Add(finding);
        return new CatalogPlan(views, services, changes, diagnostics) { Store = store };
    }

    private static ViewPlan PlanView(ViewDefinition view, SourceDefinition source, PlanOptions options)
    {
        var program = ViewProgram.Compile(view, source);
        var sizes = new StateSizes(program, options);
        return new ViewPlan(
            view.Name,
            view.Entity,
            program.Log,
            program.Log != source.Topic,
            source.Partitions,
            CanonicalForm.Hash(CanonicalForm.Of(view, source)),
            [.. program.Levels.Select(l => PlanLevel(l, sizes))],
            program.Outputs,
            sizes.Worst,
            sizes.Typical,
            program.Levels.Sum(l => l.Windows.Sum(w => TilesOf(l, w.WindowUs))),
            program.ForgetAfterUs is { } us ? TimeGrid.FromMicros(us) : null);
    }

    private static LevelPlan PlanLevel(Level level, StateSizes sizes) => new(
        level.IsLifetime ? null : TimeGrid.FromMicros(level.HopUs),
        sizes.TilesKept(level),
        level.StoredTileBytes,
        [.. level.Windows.Select(w => new WindowTiles(level.IsLifetime ? "lifetime" : Durations.Format(TimeGrid.FromMicros(w.WindowUs)), TilesOf(level, w.WindowUs)))]);

    // The window's own tiles and the open one: floor(t - W, g) up to floor(t, g).
    private static int TilesOf(Level level, long windowUs) => level.IsLifetime ? 1 : (int)(windowUs / level.HopUs) + 1;

    private static ServicePlan PlanService(ServiceDefinition service, Catalog catalog, List<ViewPlan> views)
    {
        var read = views.Where(v => service.Features.Any(f => f.View == v.Name)).ToList();
        var columns = read.Sum(v =>
        {
            var program = ViewProgram.Compile(catalog.View(v.Name), catalog.Source(catalog.View(v.Name).Source));
            return service.Features.Where(f => f.View == v.Name).Sum(f => program.OutputsOf(f.Feature).Count);
        });
        return new ServicePlan(
            service.Name,
            CanonicalForm.ServiceHash(service, catalog),
            [.. read.Select(v => v.Entity).Distinct(StringComparer.Ordinal)],
            columns,
            read.Count,
            read.Count,
            read.Sum(v => v.BytesTypical),
            read.Sum(v => v.TilesPerRead));
    }
}
