using StreamMl.Infrastructure.Models;
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
public sealed class ModelHost(ModelStore store, ModelLoader loader, ScoringOptions options, ILogger<ModelHost> logger) : IDisposable
{
    private static readonly string[] Aliases = [ModelNames.Champion, ModelNames.Challenger];
    private readonly SemaphoreSlim oneAtATime = new(1);
    private volatile State state = new([], []);

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
            var (serving, refused) = (new List<ServingModel>(), new List<ModelRefusal>());
            var names = options.Models.Count > 0 ? options.Models : store.Names();
            foreach (var alias in Aliases)
            {
                foreach (var name in names)
                    await LookAsync(name, alias, serving, refused, cancellationToken);
            }

            if (!serving.SequenceEqual(state.Serving) || !refused.SequenceEqual(state.Refused))
                state = new State([.. serving], [.. refused]);
        }
        finally
        {
            oneAtATime.Release();
        }
    }

    public void Dispose() => oneAtATime.Dispose();

    private async Task LookAsync(string name, string alias, List<ServingModel> serving, List<ModelRefusal> refused, CancellationToken cancellationToken)
    {
        var old = Array.Find(state.Serving, s => s.Model.Version.Name == name && s.Variant == alias);
        var version = store.AliasOf(name, alias);
        if (version is null)
        {
            if (options.Models.Contains(name) && alias == ModelNames.Champion)
                refused.Add(new ModelRefusal(name, alias, null, $"model '{name}' has no {alias}: train one, or point the alias to a version with `streamml models promote`"));
            if (old is not null)
                logger.Stopped(old.Model.Version, alias);
            return;
        }

        if (old?.Model.Version.Version == version)
        {
            serving.Add(old);
            return;
        }

        if (state.Refused.FirstOrDefault(r => r.Name == name && r.Alias == alias && r.Version == version) is { } known)
        {
            // What a version is does not change: it was looked at once.
            refused.Add(known);
        }
        else if (await LoadAsync(new ModelReference(name, version), alias, refused, cancellationToken) is { } loaded)
        {
            serving.Add(new ServingModel(alias, loaded));
            logger.Serves(loaded.Version, alias, loaded.Service.Program.Name, old?.Model.Version.Version ?? "none");
            return;
        }

        if (old is not null)
            serving.Add(old);
    }

    private async Task<LoadedModel?> LoadAsync(ModelReference reference, string alias, List<ModelRefusal> refused, CancellationToken cancellationToken)
    {
        try
        {
            // The same version may serve under both aliases.
            return Array.Find(state.Serving, s => s.Model.Version.Name == reference.Name && s.Model.Version.Version == reference.Selector)?.Model
                ?? await Task.Run(() => loader.Load(reference), cancellationToken);
        }
        catch (ModelException e)
        {
            refused.Add(new ModelRefusal(reference.Name, alias, reference.Selector, e.Message));
            logger.Refused(reference, alias, e.Message);
            return null;
        }
    }

    private sealed record State(ServingModel[] Serving, ModelRefusal[] Refused);
}
