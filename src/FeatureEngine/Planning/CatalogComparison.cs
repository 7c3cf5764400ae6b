using System.Text.Json;
using StreamMl.Shared.Definitions;

namespace StreamMl.FeatureEngine.Planning;

/// <summary>What changed from one catalogue to the next. One use.</summary>
internal sealed class CatalogComparison(Catalog before, Catalog after, Func<string, string, IReadOnlyList<string>> schemaProblems)
{
    public List<Diagnostic> Diagnostics { get; } = [];

    public IReadOnlyList<Change> Changes() =>
    [
        .. Compare("source", before.Sources, after.Sources, s => s.Name, SourceForm, SourceConsequence),
        .. Compare("view", before.Views, after.Views, v => v.Name, ViewForm, kind => kind switch
        {
            ChangeKind.Added => "It starts at the beginning of its log, or from a backfill",
            ChangeKind.Changed => "It is computed anew under its new hash; the old states stay until they are removed",
            _ => "Its states stay in the store until they are removed",
        }),
        .. Compare("service", before.Services, after.Services, s => s.Name, (s, c) => CanonicalForm.Of(s, c), kind => kind switch
        {
            ChangeKind.Added => "It can be read as soon as its views have states",
            ChangeKind.Changed => "Models trained on it must be trained again, or keep the old definition",
            _ => "Its readers get an error",
        }),
    ];

    private List<Change> Compare<T>(
        string what, IReadOnlyList<T> old, IReadOnlyList<T> now, Func<T, string> name, Func<T, Catalog, string> form, Func<ChangeKind, string> consequence)
    {
        var changes = new List<Change>();
        foreach (var item in now)
        {
            var previous = old.FirstOrDefault(o => name(o) == name(item));
            if (previous is null)
                changes.Add(new Change(ChangeKind.Added, what, name(item), [], consequence(ChangeKind.Added)));
            else if (form(previous, before) is var from && form(item, after) is var to && from != to)
                changes.Add(new Change(ChangeKind.Changed, what, name(item), Differences(from, to), consequence(ChangeKind.Changed)));
            if (previous is SourceDefinition oldSource && item is SourceDefinition newSource)
                CheckSource(oldSource, newSource);
        }

        foreach (var gone in old.Where(o => now.All(n => name(n) != name(o))))
            changes.Add(new Change(ChangeKind.Removed, what, name(gone), [], consequence(ChangeKind.Removed)));
        return changes;
    }

    private void CheckSource(SourceDefinition old, SourceDefinition now)
    {
        if (old.Topic == now.Topic && old.Partitions != now.Partitions)
            Error(now, "partitions", $"source '{now.Name}' has {now.Partitions} partitions, and its topic was made with {old.Partitions}", $"Keep `partitions: {old.Partitions}`, or give the source a new `topic`: keys would move between partitions");
        if (old.Topic == now.Topic && !old.KeyFields.SequenceEqual(now.KeyFields))
            Error(now, "key", $"source '{now.Name}' is keyed by {Show(now.KeyFields)}, and its topic was written with {Show(old.KeyFields)}", "Keep the key, or give the source a new `topic`; views may be keyed by other fields anyway");
        foreach (var problem in old.AvroSchema == now.AvroSchema ? [] : schemaProblems(now.AvroSchema, old.AvroSchema))
            Error(now, "schema", $"the new Avro schema of source '{now.Name}' cannot read events written with the old one: {problem}", "Add fields with a default, and keep the type and name of old ones (or add an alias)");
    }

    private void Error(SourceDefinition source, string part, string problem, string remedy) =>
        Diagnostics.Add(new Diagnostic(Severity.Error, source.Parts.Find(part) ?? source.Location, problem, remedy));

    private static string Show(IReadOnlyList<string> keys) => keys.Count == 0 ? "nothing" : string.Join(", ", keys);

    private static string SourceConsequence(ChangeKind kind) => kind switch
    {
        ChangeKind.Added => "Its topic is made when it is first written",
        ChangeKind.Changed => "Views over it that take in what changed get a new hash",
        _ => "Its topic stays, and nobody reads it",
    };

    private static string ViewForm(ViewDefinition view, Catalog catalog) => CanonicalForm.Of(view, catalog.Source(view.Source));

    private static string SourceForm(SourceDefinition source, Catalog catalog) => JsonSerializer.Serialize(new SortedDictionary<string, string>(StringComparer.Ordinal)
    {
        ["topic"] = source.Topic,
        ["eventTime"] = source.EventTimeField,
        ["key"] = string.Join(", ", source.KeyFields),
        ["maxFutureSkew"] = Durations.Format(source.MaxFutureSkew),
        ["partitions"] = $"{source.Partitions}",
        ["schema"] = source.AvroSchema,
    });

    // Both forms are flat JSON objects, apart from small objects (derive, features, views) that are compared by their keys.
    private static List<string> Differences(string from, string to)
    {
        using var old = JsonDocument.Parse(from);
        using var now = JsonDocument.Parse(to);
        var differences = new List<string>();
        Compare(old.RootElement, now.RootElement, "", differences);
        return differences;
    }

    private static void Compare(JsonElement old, JsonElement now, string prefix, List<string> differences)
    {
        foreach (var key in old.EnumerateObject().Concat(now.EnumerateObject()).Select(p => p.Name).Distinct(StringComparer.Ordinal))
        {
            var has = now.TryGetProperty(key, out var to);
            if (!old.TryGetProperty(key, out var from))
                differences.Add($"{prefix}{key}: added {Show(to)}");
            else if (!has)
                differences.Add($"{prefix}{key}: removed, was {Show(from)}");
            else if (from.ValueKind == JsonValueKind.Object && to.ValueKind == JsonValueKind.Object)
                Compare(from, to, $"{prefix}{key}.", differences);
            else if (from.GetRawText() != to.GetRawText())
                differences.Add(key == "schema" ? "schema: another Avro schema" : $"{prefix}{key}: {Show(from)} -> {Show(to)}");
        }
    }

    private static string Show(JsonElement value) => value.ValueKind != JsonValueKind.String ? value.GetRawText()
        : value.GetString() is { Length: 64 } hash && hash.All(char.IsAsciiHexDigitLower) ? hash[..8]
        : value.GetString()!;
}
