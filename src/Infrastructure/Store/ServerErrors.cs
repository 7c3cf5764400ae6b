using StackExchange.Redis;
using StreamMl.Infrastructure.Redis;
using StreamMl.Shared;
using StreamMl.Shared.Store;

namespace StreamMl.Infrastructure.Store;

/// <summary>What an error answer of the server means for the caller: wait and retry, or a set-up to be mended.</summary>
internal static class ServerErrors
{
    private static readonly string[] Passing = ["LOADING", "TRYAGAIN", "CLUSTERDOWN", "MOVED", "ASK", "BUSY", "READONLY", "MASTERDOWN"];

    public static Exception Translate(RedisServerException error, string what)
    {
        var code = error.Message.Split(' ', 2)[0];
        if (code == "NOREPLICAS")
            return new StoreUnavailableException($"the store refused {what} for now: {error.Message} Start its replicas, or lower min-replicas-to-write", error);
        if (Passing.Contains(code, StringComparer.Ordinal))
            return new StoreUnavailableException($"the store refused {what} for now: {error.Message}", error);
        var remedy = code switch
        {
            "OOM" => "raise maxmemory, or give it a view with fewer or shorter windows (`streamml plan` predicts the bytes)",
            "NOPERM" => $"give this user the rights '{CommitProbe.Rights}' (ACL SETUSER)",
            _ when error.Message.Contains("The user executing the script", StringComparison.Ordinal) => $"give this user the rights '{CommitProbe.Rights}' (ACL SETUSER)",
            "MISCONF" => "the server cannot write its snapshot: mend its disk, or set stop-writes-on-bgsave-error no",
            _ when error.Message.Contains("unknown command", StringComparison.OrdinalIgnoreCase) =>
                "a commit is one Lua script, run by EVALSHA or EVAL: Redis and Valkey have both unless their configuration renames or forbids them (rename-command), Garnet has them with --lua --lua-transaction-mode true",
            _ => "see the server's log",
        };
        return new SetupException($"the store refused {what}: {error.Message}; {remedy}", error);
    }
}
