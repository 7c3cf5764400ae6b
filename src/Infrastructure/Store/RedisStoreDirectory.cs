using System.Text;
using StackExchange.Redis;
using StreamMl.Shared.Definitions;
using StreamMl.Shared.Log;
using StreamMl.Shared.Store;

namespace StreamMl.Infrastructure.Store;

/// <summary>Looks into a Redis-like store by SCAN, at most <see cref="MaxScans"/> steps a look. Thread-safe.</summary>
public sealed class RedisStoreDirectory(IConnectionMultiplexer redis) : IStoreDirectory
{
    public const int MaxScans = 50;

    private const int KeysPerScan = 1_000;

    /// <summary>Looking through a whole store is for a person who waits: 10 million keys take Redis some seconds.</summary>
    private const int MaxWholeScans = 1_000;

    public async Task<IReadOnlyList<string>> HashesOfAsync(PartitionId log, string view, CancellationToken cancellationToken)
    {
        var prefix = $"{LogNames.HashTag(log)}{view}@";
        var keys = await ScanAsync(prefix, "????????!pos", 100, cancellationToken);
        return [.. keys.Select(k => Encoding.UTF8.GetString(k)[prefix.Length..^"!pos".Length]).Distinct().Order(StringComparer.Ordinal)];
    }

    public async Task<IReadOnlyList<byte[]>> EntitiesOfAsync(PartitionId log, string view, string viewHash8, int limit, CancellationToken cancellationToken)
    {
        var prefix = LogNames.StatePrefix(log, view, viewHash8);
        var length = Encoding.UTF8.GetByteCount(prefix);
        var keys = await ScanAsync(prefix, "*", limit, cancellationToken);
        return [.. keys.Take(limit).Select(k => k[length..])];
    }

    /// <summary>Every view version that has a position, found by looking at up to 10 million keys.</summary>
    public async Task<IReadOnlyList<StoredView>> ViewsAsync(CancellationToken cancellationToken)
    {
        var keys = await ScanAsync("{", "*}*@????????!pos", int.MaxValue, cancellationToken, MaxWholeScans, 10 * KeysPerScan);
        var views = new HashSet<StoredView>();
        foreach (var key in keys)
        {
            if (LogNames.TryParsePositionKey(Encoding.UTF8.GetString(key), out var log, out var view, out var hash8))
                views.Add(new StoredView(log, view, hash8));
        }

        return [.. views.OrderBy(v => v.View, StringComparer.Ordinal).ThenBy(v => v.Hash8, StringComparer.Ordinal).ThenBy(v => v.Log.ToString(), StringComparer.Ordinal)];
    }

    private async Task<List<byte[]>> ScanAsync(
        string prefix, string tail, int limit, CancellationToken cancellationToken, int maxScans = MaxScans, int keysPerScan = KeysPerScan)
    {
        var found = new List<byte[]>();
        foreach (var server in await Primaries.FindAsync(redis))
        {
            var cursor = "0";
            for (var scan = 0; scan < maxScans && found.Count < limit; scan++)
            {
                cancellationToken.ThrowIfCancellationRequested();
                var reply = await server.ExecuteAsync("SCAN", cursor, "MATCH", EscapeGlob(prefix) + tail, "COUNT", keysPerScan);
                cursor = (string)reply[0]!;
                found.AddRange(((byte[]?[]?)reply[1] ?? []).OfType<byte[]>());
                if (cursor == "0")
                    break;
            }
        }

        return found;
    }

    private static string EscapeGlob(string text) =>
        string.Concat(text.Select(c => c is '*' or '?' or '[' or ']' or '\\' or '^' ? $"\\{c}" : c.ToString()));
}
