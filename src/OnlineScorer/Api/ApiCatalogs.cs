using StreamMl.FeatureEngine.Views;
using StreamMl.OnlineScorer.Catalogs;
using StreamMl.Shared.Definitions;

namespace StreamMl.OnlineScorer.Api;

/// <summary>The catalogue that the query API answers by, with what is compiled of it. A request takes it once, so it is answered by one. Thread-safe.</summary>
internal sealed class ApiCatalogs(ServedCatalog served, FeatureApiOptions options) : ICatalogUser
{
    private volatile ApiCatalog current = new(served.Current, options);

    public ApiCatalog Current => current;

    public Task<ICatalogChange> PrepareAsync(Catalog next, CancellationToken cancellationToken)
    {
        var ready = new ApiCatalog(next, options);
        ready.CompileAll();
        return Task.FromResult<ICatalogChange>(new Change(this, ready));
    }

    private sealed class Change(ApiCatalogs owner, ApiCatalog next) : ICatalogChange
    {
        public void Make() => owner.current = next;

        public void Dispose()
        {
            // nothing is held
        }
    }
}

/// <summary>A catalogue with its compiled views and services. Thread-safe.</summary>
internal sealed class ApiCatalog(Catalog catalog, FeatureApiOptions options)
{
    private readonly Lazy<IReadOnlyList<ViewProgram>> programs = new(() => [.. ViewProgram.CompileAll(catalog)]);

    public Catalog Catalog => catalog;

    public ServiceBook Book { get; } = new(catalog, options);

    public IReadOnlyList<ViewProgram> Programs => programs.Value;

    /// <exception cref="ApiProblem">There is none.</exception>
    public ViewProgram View(string name) => Programs.FirstOrDefault(p => p.View.Name == name) ?? throw new ApiProblem(
        404, "no-such-view", $"there is no view '{name}' in catalogue '{catalog.Name}'", "GET /v1/views lists them", name);

    /// <summary>What the first request of each kind would do.</summary>
    /// <exception cref="DefinitionException">A view or a service does not compile.</exception>
    public void CompileAll()
    {
        _ = programs.Value;
        foreach (var service in catalog.Services)
            _ = Book.Service(service.Name);
    }
}
