using StackExchange.Redis;

namespace StreamMl.Infrastructure.Store;

/// <summary>
/// MOVED and ASK of a cluster whose slots are on their way. The client's cheap way to send a command gives its buffer back once it is written, so it cannot send the command again
/// where it is redirected to; it would break the connection instead, with every other command on it. So such a command is told not to follow, and one that keeps its arguments goes after.
/// </summary>
internal static class Redirects
{
    /// <summary>Whether a command that must not follow was redirected. The server did nothing. (Of ASK the client says that it could not connect; then nothing was done either.)</summary>
    public static bool IsOne(RedisException error) => error switch
    {
        RedisServerException => error.Message.Contains("MOVED", StringComparison.Ordinal),
        RedisConnectionException { FailureType: ConnectionFailureType.UnableToConnect } => true,
        _ => false,
    };

    public static Task<RedisResult> FollowAsync(IDatabase database, string command, ReadOnlyMemory<RedisKeyOrValue> arguments)
    {
        var kept = new object[arguments.Length];
        for (var i = 0; i < kept.Length; i++)
            kept[i] = arguments.Span[i].IsKey ? arguments.Span[i].Key : arguments.Span[i].Value;
        return database.ExecuteAsync(command, kept, CommandFlags.DemandMaster);
    }
}
