using StreamMl.TestKit;
using StreamMl.TestKit.Servers;

namespace StreamMl.Integration.Tests.Chaos.Servers;

/// <summary>A real Redis with an append-only file, which can be killed, and brought back with an older copy of its data. Not thread-safe.</summary>
internal sealed class ChaosStore(RedisProcess redis, string copies) : IAsyncDisposable
{
    private const int Copies = 3;
    private readonly List<(string Directory, long Applied)> kept = [];
    private int made;

    public string Endpoint => redis.Endpoint;

    public static async Task<ChaosStore> StartAsync(string copies) =>
        new(await RedisProcess.StartAsync(RedisProcess.RedisServer, "--appendonly", "yes", "--appendfsync", "everysec", "--auto-aof-rewrite-min-size", "64mb"), copies);

    /// <summary>Copies the data directory as Redis' manual tells: no rewrite of the append-only file in the meantime. The last three copies are kept.</summary>
    /// <param name="applied">Records applied by now, which the rollback tells again.</param>
    public async Task CopyAsync(long applied)
    {
        await redis.AskAsync("CONFIG", "SET", "auto-aof-rewrite-percentage", "0");
        var info = "";
        await Eventually.Until(async () => (info = await redis.AskAsync("INFO", "persistence")).Contains("aof_rewrite_in_progress:0", StringComparison.Ordinal), () => info);
        var to = Path.Combine(copies, $"{made++}");
        CopyTree(redis.Directory, to);
        kept.Add((to, applied));
        if (kept.Count > Copies)
            Forget(0);
        await redis.AskAsync("CONFIG", "SET", "auto-aof-rewrite-percentage", "100");
    }

    public async Task RestartAsync()
    {
        await redis.KillAsync();
        await redis.StartAsync();
    }

    /// <summary>Killed, and back with the oldest copy; younger copies go, as what they hold has not happened any more. What was applied in it.</summary>
    public async Task<long> RollBackAsync()
    {
        await redis.KillAsync();
        Directory.Delete(redis.Directory, recursive: true);
        CopyTree(kept[0].Directory, redis.Directory);
        while (kept.Count > 1)
            Forget(1);
        await redis.StartAsync();
        return kept[0].Applied;
    }

    public ValueTask DisposeAsync() => redis.DisposeAsync();

    private void Forget(int copy)
    {
        Directory.Delete(kept[copy].Directory, recursive: true);
        kept.RemoveAt(copy);
    }

    private static void CopyTree(string from, string to)
    {
        Directory.CreateDirectory(to);
        foreach (var directory in Directory.EnumerateDirectories(from))
            CopyTree(directory, Path.Combine(to, Path.GetFileName(directory)));
        foreach (var file in Directory.EnumerateFiles(from))
            File.Copy(file, Path.Combine(to, Path.GetFileName(file)));
    }
}
