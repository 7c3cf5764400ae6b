using StreamMl.FeatureEngine.Views;
using StreamMl.Shared.Definitions;
using StreamMl.Shared.Events;
using StreamMl.Shared.Features;

namespace StreamMl.FeatureEngine.Services;

/// <summary>A key that a request to a service names: the entity's key and the type that it has in the source of the first view that uses it.</summary>
public sealed record ServiceKey(string Name, FieldType Type);

/// <summary>
/// A service made ready to read: its views, the keys that a request must name, and its columns in the order of its features. The same for
/// online reads and backfill. Immutable; thread-safe.
/// </summary>
public sealed class ServiceProgram
{
    private ServiceProgram(
        ServiceDefinition service, string hash, IReadOnlyList<ServiceKey> keys, IReadOnlyList<ServiceView> views, IReadOnlyList<FeatureColumn> columns)
    {
        Definition = service;
        Hash = hash;
        Keys = keys;
        Views = views;
        Columns = columns;
        WidestView = views.Count == 0 ? 0 : views.Max(v => v.Program.Outputs.Count);
    }

    public ServiceDefinition Definition { get; }

    public string Name => Definition.Name;

    /// <summary>Hash of the service's canonical form, which has its views' hashes in it.</summary>
    public string Hash { get; }

    /// <summary>What a request names, each once, in the order in which the views need them.</summary>
    public IReadOnlyList<ServiceKey> Keys { get; }

    /// <summary>The views that are read, in the order of their first feature.</summary>
    public IReadOnlyList<ServiceView> Views { get; }

    /// <summary>The columns of a vector, in the order of the service's features.</summary>
    public IReadOnlyList<FeatureColumn> Columns { get; }

    /// <summary>Outputs of the widest view: the columns that a scratch row needs.</summary>
    public int WidestView { get; }

    /// <exception cref="ArgumentException">The service names a view, entity or feature that the catalogue does not have.</exception>
    /// <exception cref="DefinitionException">A view cannot be computed, or two views need one key with two types.</exception>
    public static ServiceProgram Compile(Catalog catalog, ServiceDefinition service)
    {
        if (service.Features.Count == 0)
            throw DefinitionException.Of(service.Location, $"service '{service.Name}' reads no feature", "name at least one, as view.feature or view.*");
        var names = service.Features.Select(f => f.View).Distinct(StringComparer.Ordinal).ToList();
        var programs = names.ToDictionary(n => n, n => ViewProgram.Compile(catalog.View(n), catalog.Source(catalog.View(n).Source)), StringComparer.Ordinal);
        var columns = new List<FeatureColumn>();
        var picks = names.ToDictionary(n => n, _ => new List<(int Output, int Column)>(), StringComparer.Ordinal);
        foreach (var feature in service.Features)
        {
            var (first, count) = programs[feature.View].OutputsOf(feature.Feature);
            for (var output = first; output < first + count; output++)
            {
                picks[feature.View].Add((output, columns.Count));
                columns.Add(programs[feature.View].Outputs[output]);
            }
        }

        var keys = new List<ServiceKey>();
        var views = names.Select(n => MakeView(catalog, service, programs[n], picks[n], keys)).ToList();
        return new ServiceProgram(service, CanonicalForm.ServiceHash(service, catalog), keys, views, columns);
    }

    /// <summary>Index of the key, or -1.</summary>
    public int KeyIndex(string name)
    {
        for (var i = 0; i < Keys.Count; i++)
        {
            if (Keys[i].Name == name)
                return i;
        }

        return -1;
    }

    private static ServiceView MakeView(
        Catalog catalog, ServiceDefinition service, ViewProgram program, IReadOnlyList<(int Output, int Column)> picks, List<ServiceKey> keys)
    {
        var entity = catalog.Entity(program.View.Entity);
        var slots = new int[entity.Keys.Count];
        for (var i = 0; i < slots.Length; i++)
        {
            var type = program.Source.Schema.Find(program.View.KeyFields[i])?.Type ?? FieldType.String;
            slots[i] = keys.FindIndex(k => k.Name == entity.Keys[i]);
            if (slots[i] < 0)
            {
                slots[i] = keys.Count;
                keys.Add(new ServiceKey(entity.Keys[i], type));
            }
            else if (keys[slots[i]].Type != type)
            {
                throw DefinitionException.Of(
                    service.Location,
                    $"service '{service.Name}' needs key '{entity.Keys[i]}' as {keys[slots[i]].Type} and, for view '{program.View.Name}', as {type}",
                    "give the two entities different key names, or the sources' fields one type");
            }
        }

        var chosen = service.Features.Where(f => f.View == program.View.Name).Select(f => f.Feature).ToHashSet(StringComparer.Ordinal);
        var windows = program.View.Features.Where(f => chosen.Contains(f.Name)).Select(f => f.Window).ToList();
        return new ServiceView(program, entity, slots, picks, windows);
    }
}
