using StackExchange.Redis;
using StreamMl.Shared.Store;

namespace StreamMl.Infrastructure.Store;

/// <summary>A commit as the arguments of <see cref="CommitScript"/>; the bytes stay where the caller packed them.</summary>
internal readonly struct CommitArguments
{
    private readonly RedisKeyOrValue[] arguments;

    private CommitArguments(RedisKeyOrValue[] arguments) => this.arguments = arguments;

    public static CommitArguments Of(StoreCommit commit)
    {
        var keys = commit.CheckKeys.Count + commit.DeletedKeys.Count + commit.Keys.Count;
        var all = new RedisKeyOrValue[2 + keys + 3 + commit.CheckKeys.Count + commit.Values.Count];
        all[1] = (RedisValue)keys;
        var at = Append(all, 2, commit.CheckKeys);
        at = Append(all, at, commit.DeletedKeys);
        at = Append(all, at, commit.Keys);
        if (keys > 0)
            all[2] = (RedisKey)FirstKey(commit); // one argument must be a key for a cluster to route by; all have its hash tag
        all[at++] = (RedisValue)commit.CheckKeys.Count;
        all[at++] = (RedisValue)commit.DeletedKeys.Count;
        all[at++] = (RedisValue)commit.Keys.Count;
        at = Append(all, at, commit.Expected);
        Append(all, at, commit.Values);
        return new CommitArguments(all);
    }

    public ReadOnlyMemory<RedisKeyOrValue> With(string script)
    {
        arguments[0] = (RedisValue)script;
        return arguments;
    }

    public static CommitResult Read(RespResult reply, int checks)
    {
        var reader = reply.Read();
        if (reader.IsScalar)
            return CommitResult.Committed;
        var actual = new byte[]?[checks];
        for (var i = 0; i < checks; i++)
        {
            reader.MoveNextScalar();
            actual[i] = reader.IsNull ? null : reader.ReadByteArray();
        }

        return new CommitResult(CommitStatus.Refused, actual);
    }

    /// <summary>The same of an answer that came by way of a redirect.</summary>
    public static CommitResult Read(RedisResult reply) =>
        reply.Resp3Type is ResultType.SimpleString or ResultType.BulkString ? CommitResult.Committed : new CommitResult(CommitStatus.Refused, (byte[]?[]?)reply ?? []);

    private static byte[] FirstKey(StoreCommit commit) =>
        (commit.CheckKeys.Count > 0 ? commit.CheckKeys : commit.DeletedKeys.Count > 0 ? commit.DeletedKeys : commit.Keys)[0].ToArray();

    private static int Append(RedisKeyOrValue[] all, int at, PackedBytes items)
    {
        for (var i = 0; i < items.Count; i++)
            all[at + i] = (RedisValue)items.Memory(i);
        return at + items.Count;
    }
}
