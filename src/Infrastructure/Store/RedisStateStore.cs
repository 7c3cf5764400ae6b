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
    private readonly bool isCluster = redis.GetEndPoints().Any(e => redis.GetServer(e).ServerType == ServerType.Cluster);

    public async Task<CommitResult> CommitAsync(StoreCommit commit, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var arguments = CommitArguments.Of(commit);
        try
        {
            using var reply = await ExecuteScriptAsync(arguments);
            return CommitArguments.Read(reply, commit.CheckKeys.Count);
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

    // A cluster answers one MGET per hash slot; they are sent together, so it is one round trip per shard still.
    private async Task ReadShardsAsync(PackedBytes keys, StoreValues values)
    {
        var replies = SlotGroups.Of(keys).Select(indexes => (Indexes: indexes, Reply: MgetAsync(keys, indexes))).ToList();
        List<Exception>? errors = null;
        foreach (var (indexes, task) in replies)
        {
            try
            {
                using var reply = await task;
                CopyValues(reply, indexes, values);
            }
            catch (Exception e)
            {
                // All of them are waited for: those still under way read the caller's keys.
                (errors ??= []).Add(e);
            }
        }

        if (errors is not null)
            System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(errors[0]);
    }

    private async Task ReadAsync(PackedBytes keys, IReadOnlyList<int> indexes, StoreValues values)
    {
        using var reply = await MgetAsync(keys, indexes);
        CopyValues(reply, indexes, values);
    }

    private async Task<RespResult> MgetAsync(PackedBytes keys, IReadOnlyList<int> indexes)
    {
        var arguments = new RedisKeyOrValue[indexes.Count];
        arguments[0] = (RedisKey)keys[indexes[0]].ToArray(); // the first one names the shard; the others are only bytes
        for (var i = 1; i < arguments.Length; i++)
            arguments[i] = (RedisValue)keys.Memory(indexes[i]);
        return await database.ExecuteRespAsync("MGET", arguments, CommandFlags.DemandMaster);
    }

    private static void CopyValues(RespResult reply, IReadOnlyList<int> indexes, StoreValues values)
    {
        var reader = reply.Read();
        for (var i = 0; i < indexes.Count; i++)
        {
            reader.MoveNextScalar();
            if (!reader.IsNull)
                reader.CopyTo(values.Allocate(indexes[i], reader.ScalarLength()));
        }
    }

    private async Task<RespResult> ExecuteScriptAsync(CommitArguments arguments)
    {
        try
        {
            return await database.ExecuteRespAsync("EVALSHA", arguments.With(CommitScript.Sha), CommandFlags.DemandMaster);
        }
        catch (RedisServerException e) when (e.Message.StartsWith("NOSCRIPT", StringComparison.Ordinal))
        {
            // A new or flushed server: EVAL runs it and keeps it.
            return await database.ExecuteRespAsync("EVAL", arguments.With(CommitScript.Text), CommandFlags.DemandMaster);
        }
    }
}
