using StreamMl.Shared.Definitions;
using StreamMl.Shared.Log;

namespace StreamMl.FeatureEngine.Planning;

/// <summary>What a catalogue changes against what servers hold. One use.</summary>
internal sealed class RunningComparison(Catalog catalog, RunningState running, Func<string, string, IReadOnlyList<string>> schemaProblems)
{
    public List<Diagnostic> Diagnostics { get; } = [];

    /// <summary>Also finds <see cref="Diagnostics"/>.</summary>
    public IReadOnlyList<Change> Changes()
    {
        foreach (var source in catalog.Sources)
        {
            CheckPartitions(source);
            CheckSchema(source);
        }

        return running.Views is { } stored ? [.. ViewChanges(stored)] : [];
    }

    private IEnumerable<Change> ViewChanges(IReadOnlyList<StoredView> stored)
    {
        var versions = stored.GroupBy(s => s.View, StringComparer.Ordinal).ToDictionary(g => g.Key, g => g.Select(s => s.Hash8).Distinct().Order(StringComparer.Ordinal).ToList(), StringComparer.Ordinal);
        foreach (var view in catalog.Views)
        {
            var hash = CanonicalForm.ViewHash8(view, catalog.Source(view.Source));
            if (!versions.TryGetValue(view.Name, out var known))
                yield return new Change(ChangeKind.Added, "view", view.Name, [], "It has no states yet: it starts at the beginning of its log");
            else if (!known.Contains(hash))
                yield return new Change(ChangeKind.Changed, "view", view.Name, [$"stored as {Versions(view.Name, known)}, now {view.Name}@{hash}"], "It is computed anew from the beginning of its log; the old states stay until they are removed");
            else if (known.Count > 1)
                yield return new Change(ChangeKind.Removed, "version of view", view.Name, [$"stored as {Versions(view.Name, known.Where(h => h != hash))}"], "States of older definitions lie in the store, and nobody reads them");
        }

        foreach (var (name, known) in versions.Where(v => catalog.Views.All(view => view.Name != v.Key)).OrderBy(v => v.Key, StringComparer.Ordinal))
            yield return new Change(ChangeKind.Removed, "view", name, [$"stored as {Versions(name, known)}"], "Its states stay in the store until they are removed, and nobody keeps them up to date");
    }

    private void CheckPartitions(SourceDefinition source)
    {
        foreach (var topic in LogNames.LogsOf(catalog, source))
        {
            if (running.Partitions?.TryGetValue(topic, out var there) == true && there != source.Partitions)
                Error(source, "partitions", $"source '{source.Name}' has {source.Partitions} partitions, and Kafka's topic '{topic}' has {there}", $"Write `partitions: {there}`, or give the source a new `topic`: keys would move between partitions");
        }
    }

    private void CheckSchema(SourceDefinition source)
    {
        if (running.Schemas?.TryGetValue(source.Topic, out var registered) != true)
            return;
        foreach (var problem in schemaProblems(source.AvroSchema, registered!))
            Error(source, "schema", $"the Avro schema of source '{source.Name}' cannot read events written with the one that the registry has for '{source.Topic}': {problem}", "Add fields with a default, and keep the type and name of old ones (or add an alias)");
    }

    private void Error(SourceDefinition source, string part, string problem, string remedy) =>
        Diagnostics.Add(new Diagnostic(Severity.Error, source.Parts.Find(part) ?? source.Location, problem, remedy));

    private static string Versions(string view, IEnumerable<string> hashes) => string.Join(", ", hashes.Select(h => $"{view}@{h}"));
}
