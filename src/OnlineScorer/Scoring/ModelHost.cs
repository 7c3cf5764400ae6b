using Microsoft.Extensions.Logging.Abstractions;
using StreamMl.Infrastructure.Models;
using StreamMl.OnlineScorer.Catalogs;
using StreamMl.Shared.Definitions;
using StreamMl.Shared.Models;

namespace StreamMl.OnlineScorer.Scoring;

/// <summary>A model that serves.</summary>
/// <param name="Variant">The alias by which it came to serve: champion or challenger.</param>
/// <param name="Model">The model.</param>
public sealed record ServingModel(string Variant, LoadedModel Model);

/// <summary>Why a version that an alias points to does not serve.</summary>
public sealed record ModelRefusal(string Name, string Alias, string? Version, string Reason);

/// <summary>
/// The models that serve now: those that the registry's aliases point to. A new one is loaded, verified and warmed beside the old, then one reference changes;
/// who began with the old one ends with it, and it is let go after its last use. A version that is refused changes nothing. Thread-safe.
/// </summary>
public sealed class ModelHost(ModelStore store, ModelLoader loader, ScoringOptions options, ILogger<ModelHost> logger) : ICatalogUser, IDisposable
{
    private static readonly string[] Aliases = [ModelNames.Champion, ModelNames.Challenger];
    private static readonly State Nothing = new([], []);
    private readonly SemaphoreSlim oneAtATime = new(1);
    private readonly ILogger logger = logger;
    private ModelLoader loader = loader;
    private volatile State state = Nothing;
    private (Catalog Next, string Aliases, string Why)? refusedBefore;

    /// <summary>All that serve, champions before challengers.</summary>
    public IReadOnlyList<ServingModel> Serving => state.Serving;

    /// <summary>What should serve and does not.</summary>
    public IReadOnlyList<ModelRefusal> Refused => state.Refused;

    /// <summary>The serving model that a reference means (<c>late</c>, <c>late@challenger</c>, <c>late@VERSION</c>), or null.</summary>
    public ServingModel? Find(ModelReference reference) => Array.Find(
        state.Serving, s => s.Model.Version.Name == reference.Name && (s.Variant == reference.Selector || s.Model.Version.Version == reference.Selector));

    /// <summary>Looks at the aliases once, and serves what they point to.</summary>
    public async Task RefreshAsync(CancellationToken cancellationToken)
    {
        await oneAtATime.WaitAsync(cancellationToken);
        try
        {
            var found = await LookAsync(loader, state, logger, cancellationToken);
            if (!found.Serving.SequenceEqual(state.Serving) || !found.Refused.SequenceEqual(state.Refused))
                state = found;
        }
        finally
        {
            oneAtATime.Release();
        }
    }

    public void Dispose() => oneAtATime.Dispose();

    private IReadOnlyList<string> Names => options.Models.Count > 0 ? options.Models : store.Names();

    /// <summary>
    /// Loads what the aliases point to by the next catalogue, whose services it must have been trained on. A service is not left without a model that it has: a version that was
    /// trained on the service's next definition is promoted before.
    /// </summary>
    async Task<ICatalogChange> ICatalogUser.PrepareAsync(Catalog next, CancellationToken cancellationToken)
    {
        await oneAtATime.WaitAsync(cancellationToken);
        try
        {
            // Asked again and again until it may be: nothing is loaded and said again while the aliases stay where they are.
            var aliases = string.Join(' ', Names.SelectMany(n => Aliases.Select(a => $"{n}@{store.AliasOf(n, a)}")));
            if (refusedBefore is { } before && before.Next == next && before.Aliases == aliases)
                throw new CatalogRefusedException(before.Why);
            var by = loader.By(next);
            var found = await LookAsync(by, Nothing, NullLogger.Instance, cancellationToken);
            foreach (var lost in state.Serving.Where(s => !found.Serving.Any(f => f.Variant == s.Variant && f.Model.Version.Name == s.Model.Version.Name)))
            {
                var why = Array.Find(found.Refused, r => r.Name == lost.Model.Version.Name && r.Alias == lost.Variant)?.Reason ?? "its alias is gone";
                refusedBefore = (next, aliases, $"{lost.Variant} {lost.Model.Version} could not serve: {why}. Promote a version that was trained on a backfill by this catalogue (`streamml models promote`), or take the alias away");
                throw new CatalogRefusedException(refusedBefore.Value.Why);
            }

            return new Change(this, by, found);
        }
        catch
        {
            oneAtATime.Release();
            throw;
        }
    }

    /// <param name="by">Loads them.</param>
    /// <param name="before">What was found the last time by the same catalogue: it is not loaded again.</param>
    /// <param name="log">Told what is found.</param>
    /// <param name="cancellationToken">Ends it.</param>
    private async Task<State> LookAsync(ModelLoader by, State before, ILogger log, CancellationToken cancellationToken)
    {
        var (serving, refused) = (new List<ServingModel>(), new List<ModelRefusal>());
        foreach (var alias in Aliases)
        {
            foreach (var name in Names)
                await LookAsync(name, alias, by, before, log, serving, refused, cancellationToken);
        }

        return new State([.. serving], [.. refused]);
    }

    private async Task LookAsync(string name, string alias, ModelLoader by, State before, ILogger log, List<ServingModel> serving, List<ModelRefusal> refused, CancellationToken cancellationToken)
    {
        var old = Array.Find(before.Serving, s => s.Model.Version.Name == name && s.Variant == alias);
        var version = store.AliasOf(name, alias);
        if (version is null)
        {
            if (options.Models.Contains(name) && alias == ModelNames.Champion)
                refused.Add(new ModelRefusal(name, alias, null, $"model '{name}' has no {alias}: train one, or point the alias to a version with `streamml models promote`"));
            if (old is not null)
                log.Stopped(old.Model.Version, alias);
            return;
        }

        if (old?.Model.Version.Version == version)
        {
            serving.Add(old);
            return;
        }

        if (before.Refused.FirstOrDefault(r => r.Name == name && r.Alias == alias && r.Version == version) is { } known)
        {
            // What a version is does not change: it was looked at once.
            refused.Add(known);
        }
        else if (await LoadAsync(new ModelReference(name, version), alias, by, before, log, refused, cancellationToken) is { } loaded)
        {
            serving.Add(new ServingModel(alias, loaded));
            log.Serves(loaded.Version, alias, loaded.Service.Program.Name, old?.Model.Version.Version ?? "none");
            return;
        }

        if (old is not null)
            serving.Add(old);
    }

    private static async Task<LoadedModel?> LoadAsync(ModelReference reference, string alias, ModelLoader by, State before, ILogger log, List<ModelRefusal> refused, CancellationToken cancellationToken)
    {
        try
        {
            // The same version may serve under both aliases.
            return Array.Find(before.Serving, s => s.Model.Version.Name == reference.Name && s.Model.Version.Version == reference.Selector)?.Model
                ?? await Task.Run(() => by.Load(reference), cancellationToken);
        }
        catch (ModelException e)
        {
            refused.Add(new ModelRefusal(reference.Name, alias, reference.Selector, e.Message));
            log.Refused(reference, alias, e.Message);
            return null;
        }
    }

    /// <summary>Nobody else looks at the aliases until it is disposed of.</summary>
    private sealed class Change(ModelHost host, ModelLoader by, State found) : ICatalogChange
    {
        public void Make()
        {
            foreach (var now in found.Serving)
            {
                var old = Array.Find(host.state.Serving, s => s.Variant == now.Variant && s.Model.Version.Name == now.Model.Version.Name);
                host.logger.Serves(now.Model.Version, now.Variant, now.Model.Service.Program.Name, old?.Model.Version.Version ?? "none");
            }

            (host.loader, host.state) = (by, found);
        }

        public void Dispose() => host.oneAtATime.Release();
    }

    private sealed record State(ServingModel[] Serving, ModelRefusal[] Refused);
}
