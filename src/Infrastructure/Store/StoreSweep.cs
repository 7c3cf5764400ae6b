using System.Text;
using StackExchange.Redis;
using StreamMl.Shared;
using StreamMl.Shared.Log;

namespace StreamMl.Infrastructure.Store;

/// <summary>How many keys of one kind a view version, or a log itself, has in one log partition.</summary>
public sealed record StoredCount(StoreKey Key, long Count);

/// <summary>
/// Goes through the whole store by SCAN, to count and to delete: for the commands of operators, with workers stopped. 10 million keys take Redis some
/// seconds. Memory is bounded by the number of view versions and partitions. Thread-safe.
/// </summary>
public sealed class StoreSweep(IConnectionMultiplexer redis)
{
    private const int KeysPerScan = 10_000;

    /// <summary>Counts what is wanted, by log partition, view version and kind.</summary>
    public async Task<IReadOnlyList<StoredCount>> CountAsync(Func<StoreKey, bool> wanted, CancellationToken cancellationToken)
    {
        var counts = new Dictionary<StoreKey, long>();
        await foreach (var keys in ScanAsync(wanted, cancellationToken))
        {
            foreach (var (key, _) in keys)
                counts[key] = counts.GetValueOrDefault(key) + 1;
        }

        return [.. counts.Select(c => new StoredCount(c.Key, c.Value)).OrderBy(c => c.Key.View, StringComparer.Ordinal).ThenBy(c => c.Key.Log.ToString(), StringComparer.Ordinal).ThenBy(c => c.Key.Kind)];
    }

    /// <summary>
    /// Deletes what is wanted, positions before states: whoever still held them is refused from then on, and a position never speaks for states that are
    /// gone. Should it be cut short, run it again: it finds states without a position too.
    /// </summary>
    /// <returns>Keys deleted.</returns>
    /// <exception cref="SetupException">A position came back meanwhile: a worker runs.</exception>
    public async Task<long> DeleteAsync(Func<StoreKey, bool> wanted, CancellationToken cancellationToken)
    {
        var deleted = await DeleteEachAsync(key => key.Kind is StoreKeyKind.ViewPosition or StoreKeyKind.LogPosition && wanted(key), cancellationToken);
        deleted += await DeleteEachAsync(key => key.Kind is not (StoreKeyKind.ViewPosition or StoreKeyKind.LogPosition) && wanted(key), cancellationToken);
        var back = await CountAsync(key => key.Kind is StoreKeyKind.ViewPosition or StoreKeyKind.LogPosition && wanted(key), cancellationToken);
        if (back.Count == 0)
            return deleted;
        var key = back[0].Key;
        throw new SetupException($"the position of {(key.View.Length > 0 ? $"view {key.View}@{key.Hash8}" : "the log")} on {key.Log} came back while its states were deleted: a worker runs. Stop every worker and run this again");
    }

    private async Task<long> DeleteEachAsync(Func<StoreKey, bool> wanted, CancellationToken cancellationToken)
    {
        var database = redis.GetDatabase();
        long deleted = 0;
        await foreach (var keys in ScanAsync(wanted, cancellationToken))
        {
            // One DEL a key, sent together: keys of a cluster's several slots cannot share one.
            var answers = await Task.WhenAll(keys.Select(k => database.KeyDeleteAsync(k.Bytes)));
            deleted += answers.Count(wasThere => wasThere);
        }

        return deleted;
    }

    private async IAsyncEnumerable<IReadOnlyList<(StoreKey Key, byte[] Bytes)>> ScanAsync(
        Func<StoreKey, bool> wanted, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        foreach (var server in await Primaries.FindAsync(redis))
        {
            var cursor = "0";
            do
            {
                cancellationToken.ThrowIfCancellationRequested();
                var reply = await server.ExecuteAsync("SCAN", cursor, "MATCH", "{*", "COUNT", KeysPerScan);
                cursor = (string)reply[0]!;
                var found = new List<(StoreKey, byte[])>();
                foreach (var bytes in ((byte[]?[]?)reply[1] ?? []).OfType<byte[]>())
                {
                    if (StoreKey.TryParse(Encoding.Latin1.GetString(bytes), out var key) && wanted(key))
                        found.Add((key, bytes));
                }

                yield return found;
            }
            while (cursor != "0");
        }
    }
}
