using StackExchange.Redis;
using StreamMl.Shared.Store;

namespace StreamMl.Infrastructure.Store;

/// <summary>
/// The store in Redis, Valkey or Garnet (Lua in transaction mode), alone or as a cluster. Commands are few and big: one script per commit, one MGET per
/// shard and read; keys and values go to the socket from the caller's buffers. Thread-safe.
/// </summary>
public sealed class RedisStateStore(IConnectionMultiplexer redis) : IStateStore
{
    private readonly IDatabase database = redis.GetDatabase();
    private readonly bool isCluster = IsCluster(redis);
    private readonly CommandFlags flags = IsCluster(redis) ? CommandFlags.DemandMaster | CommandFlags.NoRedirect : CommandFlags.DemandMaster;

    public async Task<CommitResult> CommitAsync(StoreCommit commit, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var arguments = CommitArguments.Of(commit);
        try
        {
            return await ExecuteScriptAsync(arguments, commit.CheckKeys.Count);
        }
        catch (Exception e) when (e is RedisTimeoutException or RedisConnectionException)
        {
            return new CommitResult(CommitStatus.Ambiguous, [], e);
        }
        catch (RedisServerException e)
        {
            throw ServerErrors.Translate(e, $"a commit of {commit.Keys.Count} keys ({commit.ByteCount} bytes) of {commit.Log}");
        }
    }

    public async Task<StoreValues> ReadAsync(PackedBytes keys, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var values = new StoreValues(keys.Count, keys.Count * 128);
        try
        {
            if (keys.Count > 0 && isCluster)
                await ReadShardsAsync(keys, values);
            else if (keys.Count > 0)
                await ReadAsync(keys, [.. Enumerable.Range(0, keys.Count)], values);
            return values;
        }
        catch (RedisServerException e)
        {
            values.Dispose();
            throw ServerErrors.Translate(e, $"a read of {keys.Count} keys");
        }
        catch (Exception e) when (e is RedisTimeoutException or RedisConnectionException)
        {
            values.Dispose();
            throw new StoreUnavailableException($"a read of {keys.Count} keys was not answered: {e.Message}", e);
        }
    }

    private static bool IsCluster(IConnectionMultiplexer redis) => redis.GetEndPoints().Any(e => redis.GetServer(e).ServerType == ServerType.Cluster);

    // A cluster answers one MGET per hash slot; they are sent together, so it is one round trip per shard still. None is left behind when another fails: it would still read the
    // caller's keys.
    private async Task ReadShardsAsync(PackedBytes keys, StoreValues values)
    {
        var slots = SlotGroups.Of(keys);
        var replies = await Task.WhenAll(slots.Select(indexes => MgetAsync(keys, indexes)));
        for (var i = 0; i < replies.Length; i++)
        {
            replies[i].CopyTo(values, slots[i]);
            replies[i].Dispose();
        }
    }

    private async Task ReadAsync(PackedBytes keys, IReadOnlyList<int> indexes, StoreValues values)
    {
        using var reply = await MgetAsync(keys, indexes);
        reply.CopyTo(values, indexes);
    }

    private async Task<MgetReply> MgetAsync(PackedBytes keys, IReadOnlyList<int> indexes)
    {
        var arguments = new RedisKeyOrValue[indexes.Count];
        arguments[0] = (RedisKey)keys[indexes[0]].ToArray(); // the first one names the shard; the others are only bytes
        for (var i = 1; i < arguments.Length; i++)
            arguments[i] = (RedisValue)keys.Memory(indexes[i]);
        try
        {
            return new MgetReply(await database.ExecuteRespAsync("MGET", arguments, flags));
        }
        catch (RedisException e) when (isCluster && Redirects.IsOne(e))
        {
            return new MgetReply(await Redirects.FollowAsync(database, "MGET", arguments));
        }
    }

    private async Task<CommitResult> ExecuteScriptAsync(CommitArguments arguments, int checks)
    {
        try
        {
            using var reply = await ExecuteScriptAsync(arguments);
            return CommitArguments.Read(reply, checks);
        }
        catch (RedisException e) when (isCluster && Redirects.IsOne(e))
        {
            // The server that answered did nothing; whether the next one knows the script is not known.
            return CommitArguments.Read(await Redirects.FollowAsync(database, "EVAL", arguments.With(CommitScript.Text)));
        }
    }

    private async Task<RespResult> ExecuteScriptAsync(CommitArguments arguments)
    {
        try
        {
            return await database.ExecuteRespAsync("EVALSHA", arguments.With(CommitScript.Sha), flags);
        }
        catch (RedisServerException e) when (e.Message.StartsWith("NOSCRIPT", StringComparison.Ordinal))
        {
            // A new or flushed server: EVAL runs it and keeps it.
            return await database.ExecuteRespAsync("EVAL", arguments.With(CommitScript.Text), flags);
        }
    }
}
