using System.Collections.Concurrent;
using StreamMl.OnlineScorer.Reading;
using StreamMl.Shared.Definitions;

namespace StreamMl.OnlineScorer.Api;

/// <summary>The compiled services of a catalogue, and feature lists that callers made up, with batches to reuse. Thread-safe.</summary>
internal sealed class ServiceBook(Catalog catalog, FeatureApiOptions options)
{
    /// <summary>The name that answers give to a feature list.</summary>
    public const string FeatureListName = "(features)";

    private const int MaxIdleBatches = 16;
    private readonly ConcurrentDictionary<string, ServedService> services = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, ServedService> featureLists = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<ServedService, ConcurrentBag<ReadBatch>> idle = new();

    public Catalog Catalog => catalog;

    public ServedService Service(string name)
    {
        if (services.TryGetValue(name, out var known))
            return known;
        var definition = catalog.Services.FirstOrDefault(s => s.Name == name) ?? throw new ApiProblem(
            404, "no-such-service", $"there is no service '{name}' in catalogue '{catalog.Name}'", $"use one of: {Join(catalog.Services.Select(s => s.Name))}", name);
        return services.GetOrAdd(name, _ => ServedService.Compile(catalog, definition));
    }

    /// <param name="features"><c>view.feature</c> or <c>view.*</c>.</param>
    public ServedService FeatureList(IReadOnlyList<string> features)
    {
        var id = string.Join('\n', features);
        if (featureLists.TryGetValue(id, out var known))
            return known;
        var references = features.SelectMany(Expand).Distinct().ToList();
        var service = ServedService.Compile(catalog, new ServiceDefinition { Name = FeatureListName, Features = references });
        return featureLists.Count < options.MaxFeatureLists ? featureLists.GetOrAdd(id, service) : service;
    }

    public ReadBatch Rent(ServedService service) => idle.TryGetValue(service, out var bag) && bag.TryTake(out var batch) ? batch : new ReadBatch(service);

    /// <summary>Gives back a batch whose read has ended; after a failed read it is the garbage collector's.</summary>
    public void Return(ReadBatch batch)
    {
        if (!IsKept(batch.Service))
            return;
        batch.Clear();
        var bag = idle.GetOrAdd(batch.Service, _ => []);
        if (bag.Count < MaxIdleBatches)
            bag.Add(batch);
    }

    private bool IsKept(ServedService service) =>
        services.GetValueOrDefault(service.Program.Name) == service || featureLists.Values.Contains(service);

    private IEnumerable<FeatureReference> Expand(string name)
    {
        var dot = name.IndexOf('.');
        var view = dot <= 0 ? null : catalog.Views.FirstOrDefault(v => v.Name == name[..dot]);
        if (view is null)
            throw new ApiProblem(400, "no-such-feature", $"'{name}' names no view of catalogue '{catalog.Name}'", $"write view.feature or view.*, with one of the views {Join(catalog.Views.Select(v => v.Name))}", name);
        var feature = name[(dot + 1)..];
        if (feature == "*")
            return view.Features.Select(f => new FeatureReference(view.Name, f.Name));
        if (view.Features.Any(f => f.Name == feature))
            return [new FeatureReference(view.Name, feature)];
        throw new ApiProblem(400, "no-such-feature", $"view '{view.Name}' has no feature '{feature}'", $"use one of: {Join(view.Features.Select(f => f.Name))}", name);
    }

    private static string Join(IEnumerable<string> names) => string.Join(", ", names.Order(StringComparer.Ordinal));
}
