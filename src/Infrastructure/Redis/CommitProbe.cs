using System.Text;
using StackExchange.Redis;
using StreamMl.Infrastructure.Store;
using StreamMl.Shared.Log;
using StreamMl.Shared.Store;

namespace StreamMl.Infrastructure.Redis;

/// <summary>Tries on one server what a commit does, on keys of its own that are gone afterwards.</summary>
internal sealed class CommitProbe(IConnectionMultiplexer connection, IServer server)
{
    /// <summary>What a user with an access list must be allowed.</summary>
    public const string Rights = "~{* +@connection +eval +evalsha +mget +mset +get +set +del +scan +info +cluster";

    /// <summary>A script that sees its key change under it is not atomic. Some milliseconds of looking.</summary>
    private const string WatchScript =
        "redis.call('SET', KEYS[1], 'mine', 'PX', 10000) for i = 1, 1000 do if redis.call('GET', KEYS[1]) ~= 'mine' then return 0 end end return 1";

    private const int Watches = 5;

    /// <summary>Random tags land on a server in proportion to its slots: one that owns any is found in far fewer.</summary>
    private const int MaxTags = 1 << 14;

    private static int probes;

    private readonly PartitionId? log = FindLog(connection, server);

    /// <summary>A whole commit: compares, sets, deletes, reads. A server that owns no slot of its cluster has none to take.</summary>
    /// <exception cref="RedisUnsuitableException">It was refused.</exception>
    public async Task CommitAsync()
    {
        if (log is not { } partition)
            return;
        var store = new RedisStateStore(connection);
        byte[] position = Encoding.UTF8.GetBytes(LogNames.SourcePositionKey(partition)), state = Encoding.UTF8.GetBytes($"{LogNames.HashTag(partition)}state");
        try
        {
            // Deleting comes first: a server that refuses it is left as it was.
            await CommitAsync(store, commit => commit.DeletedKeys.Add(state));
            await CommitAsync(store, commit =>
            {
                commit.Expect(position, null);
                commit.Set(state, [1]);
                commit.Set(position, [1]);
            });
            await CommitAsync(store, commit =>
            {
                commit.Expect(position, [1]);
                commit.DeletedKeys.Add(state);
                commit.DeletedKeys.Add(position);
            });
        }
        catch (Exception e) when (e is InvalidOperationException or StoreUnavailableException)
        {
            throw new RedisUnsuitableException($"Redis at {EndPointCollection.ToString(server.EndPoint)}: {e.Message}", e);
        }

        async Task CommitAsync(RedisStateStore to, Action<StoreCommit> fill)
        {
            var commit = new StoreCommit(partition);
            fill(commit);
            var result = await to.CommitAsync(commit, CancellationToken.None);
            if (result.Status != CommitStatus.Committed)
                throw new StoreUnavailableException($"a commit was tried and became {result.Status}: {result.Error?.Message ?? "somebody else wrote its keys"}", result.Error);
        }
    }

    /// <summary>
    /// Garnet does not tell whether its scripts lock their keys, so it is tried: one connection watches a key in a script while another
    /// one writes it. A server that locks never fails this; one that does not would have to be lucky five times.
    /// </summary>
    /// <param name="disturber">The same server on another connection.</param>
    /// <exception cref="RedisUnsuitableException">It does not lock.</exception>
    public async Task WatchAsync(IServer disturber)
    {
        if (log is not { } partition)
            return;
        var key = $"{LogNames.HashTag(partition)}watch";
        for (var watch = 0; watch < Watches; watch++)
        {
            var watching = server.ExecuteAsync("EVAL", WatchScript, "1", key);
            while (!watching.IsCompleted)
                await disturber.ExecuteAsync("SET", key, "other", "PX", "10000");
            if ((int)await watching == 1)
                continue;
            throw new RedisUnsuitableException(
                $"Garnet at {EndPointCollection.ToString(server.EndPoint)} runs scripts without locking their keys, so a reader can see half of a commit. "
                + "Start it with --lua --lua-transaction-mode true.");
        }

        await server.ExecuteAsync("DEL", key);
    }

    private static PartitionId? FindLog(IConnectionMultiplexer connection, IServer server)
    {
        // The process is in the name: workers that start at the same time do not refuse each other.
        var topic = $"!streamml-probe-{Environment.MachineName}-{Environment.ProcessId}-{Interlocked.Increment(ref probes)}";
        for (var i = 0; i < MaxTags; i++)
        {
            var found = new PartitionId(topic, i);
            if (server.ServerType != ServerType.Cluster || connection.GetServer((RedisKey)LogNames.HashTag(found)).EndPoint.Equals(server.EndPoint))
                return found;
        }

        return null;
    }
}
