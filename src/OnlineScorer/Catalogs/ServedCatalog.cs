using StreamMl.Shared.Definitions;

namespace StreamMl.OnlineScorer.Catalogs;

/// <summary>The catalogue that this process serves by. Thread-safe.</summary>
internal sealed class ServedCatalog(Catalog first)
{
    private volatile Catalog current = first;
    private volatile string? waiting;

    public Catalog Current => current;

    /// <summary>Why the catalogue that the file has by now is not the current one; null: it is.</summary>
    public string? Waiting
    {
        get => waiting;
        set => waiting = value;
    }

    public void Change(Catalog next) => (current, waiting) = (next, null);
}
