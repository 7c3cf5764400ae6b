using StreamMl.Shared.Definitions;
using StreamMl.Shared.Definitions.Building;
using StreamMl.Shared.Log;

namespace StreamMl.FeatureEngine.Validation;

/// <summary>
/// Finds all that keeps a catalogue from running, whether it came from files or from C#: names, references, types, windows, bounds. A
/// catalogue without errors compiles. Pure; thread-safe.
/// </summary>
public static class CatalogValidator
{
    /// <summary>Adds what validation finds to what loading found, in the order of files and lines; one finding a place and remedy.</summary>
    public static CatalogResult Validate(CatalogResult loaded) => loaded with { Diagnostics = InOrder([.. loaded.Diagnostics, .. Find(loaded.Catalog)]) };

    public static IReadOnlyList<Diagnostic> Validate(Catalog catalog) => InOrder([.. Find(catalog), .. WithoutFeatures(catalog)]);

    // A builder has said this already, or has said why it could not read the features that there were.
    private static IEnumerable<Diagnostic> WithoutFeatures(Catalog catalog) => catalog.Views.Where(v => v.Features.Count == 0)
        .Select(v => new Diagnostic(Severity.Error, v.Location, $"view '{v.Name}' has no features", "Name some: `features: [count]`"));

    private static List<Diagnostic> Find(Catalog catalog)
    {
        var report = new Report();
        Duplicates(report, "source", catalog.Sources.Select(s => (s.Name, s.Location)));
        Duplicates(report, "entity", catalog.Entities.Select(e => (e.Name, e.Location)));
        Duplicates(report, "view", catalog.Views.Select(v => (v.Name, v.Location)));
        Duplicates(report, "service", catalog.Services.Select(s => (s.Name, s.Location)));
        foreach (var source in catalog.Sources)
            SourceRules.Check(source, report);
        foreach (var entity in catalog.Entities)
            CheckEntity(entity, report);
        CheckTopics(catalog, report);
        var keys = new EntityKeyTypes(report);
        foreach (var view in catalog.Views)
            new ViewRules(catalog, view, keys, report).Check();
        foreach (var service in catalog.Services)
            ServiceRules.Check(catalog, service, keys, report);
        return report.All;
    }

    private static void CheckEntity(EntityDefinition entity, Report report)
    {
        Names.CheckName(entity.Name, "entity", entity.Location, report);
        foreach (var key in entity.Keys.Where(k => !Names.IsIdentifier(k)))
            report.Error(entity.Location, $"key `{key}` of entity '{entity.Name}' is no name", "Use letters, digits and _, and start with a letter");
        if (entity.Keys.Distinct(StringComparer.Ordinal).Count() != entity.Keys.Count)
            report.Error(entity.Location, $"entity '{entity.Name}' names a key twice: {string.Join(", ", entity.Keys)}", "Name each once");
    }

    // Topics are made of source names and key fields, so two sources may come to one topic in two ways.
    private static void CheckTopics(Catalog catalog, Report report)
    {
        foreach (var group in catalog.Sources.GroupBy(s => s.Topic, StringComparer.Ordinal).Where(g => g.DistinctBy(s => s.Name).Count() > 1))
            report.Error(group.Last().Parts.Find("topic") ?? group.Last().Location, $"sources {string.Join(" and ", group.Select(s => $"'{s.Name}'"))} have one topic, {group.Key}", "Give each its own `topic`");
        var topics = catalog.Sources.Select(s => s.Topic).ToHashSet(StringComparer.Ordinal);
        foreach (var view in catalog.Views)
        {
            if (catalog.Sources.FirstOrDefault(s => s.Name == view.Source) is { } source && LogNames.LogOf(source, view) is var log && log != source.Topic && topics.Contains(log))
                report.Error(view.Location, $"view '{view.Name}' needs the repartition topic {log}, which is the topic of another source", "Rename that source's topic");
        }
    }

    private static void Duplicates(Report report, string kind, IEnumerable<(string Name, SourceLocation? At)> definitions)
    {
        foreach (var group in definitions.GroupBy(d => d.Name, StringComparer.Ordinal))
        {
            foreach (var (name, at) in group.Skip(1))
                report.Error(at, $"there are two definitions of {kind} '{name}', the first at {group.First().At?.ToString() ?? "an unknown place"}", "Rename or remove one of them");
        }
    }

    private static List<Diagnostic> InOrder(List<Diagnostic> diagnostics) =>
    [
        .. diagnostics.DistinctBy(d => (d.Location?.File, d.Location?.Line, d.Location?.Column, d.Location is null ? d.Message : d.Remedy))
            .OrderBy(d => d.Location?.File, StringComparer.Ordinal).ThenBy(d => d.Location?.Line).ThenBy(d => d.Location?.Column),
    ];
}
