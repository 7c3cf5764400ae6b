using System.Text;

namespace StreamMl.Shared.Store;

/// <summary>Reading of few keys, named one by one. A path that reads many again and again keeps its <see cref="PackedBytes"/>.</summary>
public static class StoreReads
{
    /// <summary>As <see cref="IStateStore.ReadAsync"/>.</summary>
    /// <exception cref="StoreUnavailableException">The store is away.</exception>
    public static Task<StoreValues> ReadAsync(this IStateStore store, IEnumerable<string> keys, CancellationToken cancellationToken)
    {
        var packed = new PackedBytes();
        foreach (var key in keys)
            packed.Add(Encoding.UTF8.GetBytes(key));
        return store.ReadAsync(packed, cancellationToken);
    }
}
