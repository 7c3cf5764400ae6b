using StreamMl.Shared.Definitions;

namespace StreamMl.OnlineScorer.Catalogs;

/// <summary>Something that serves by a catalogue, and can change to another one while it does.</summary>
internal interface ICatalogUser
{
    /// <summary>Makes ready all that it needs to serve by <paramref name="next"/>, and goes on by the present one.</summary>
    /// <exception cref="CatalogRefusedException">It could not serve by it what it serves now.</exception>
    Task<ICatalogChange> PrepareAsync(Catalog next, CancellationToken cancellationToken);
}

/// <summary>A change that is ready to be made. Disposed of once, made or not: then everything runs that should.</summary>
internal interface ICatalogChange : IDisposable
{
    /// <summary>Ends what must not see both catalogues. No request is refused meanwhile; events wait in their topics.</summary>
    Task HoldAsync() => Task.CompletedTask;

    /// <summary>Changes: one reference, after which whoever begins uses the next catalogue. Does not fail.</summary>
    void Make();
}

/// <summary>A catalogue cannot be served by, so the one before it stays. The message says why and what to do.</summary>
internal sealed class CatalogRefusedException(string message) : Exception(message);
