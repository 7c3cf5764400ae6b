using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text;

namespace StreamMl.Infrastructure.Store;

/// <summary>
/// The one script that writes to the store. KEYS: checked keys, deleted keys, set keys. ARGV: their three counts, the expected value of
/// each checked key (empty: must be absent), the value of each set key. Answers "OK", or the checked keys' actual values when one differs.
/// All keys are declared, so that a cluster can route it and Garnet can lock them.
/// </summary>
internal static class CommitScript
{
    // Lua's unpack takes some 8,000 values at most (LUAI_MAXCSTACK). Sets come last and positions last of them: should the server die of
    // something between two chunks, the position has not moved.
    public const string Text = """
        local checks, deletes, sets = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
        if checks > 0 then
          local actual = redis.call('MGET', unpack(KEYS, 1, checks))
          for i = 1, checks do
            local expected = ARGV[3 + i]
            if (expected == '' and actual[i]) or (expected ~= '' and actual[i] ~= expected) then
              return actual
            end
          end
        end
        for first = 1, deletes, 6000 do
          redis.call('DEL', unpack(KEYS, checks + first, checks + math.min(first + 5999, deletes)))
        end
        local key, value = checks + deletes, 3 + checks
        for first = 1, sets, 3000 do
          local pairs, n = {}, 0
          for i = first, math.min(first + 2999, sets) do
            pairs[n + 1] = KEYS[key + i]
            pairs[n + 2] = ARGV[value + i]
            n = n + 2
          end
          redis.call('MSET', unpack(pairs, 1, n))
        end
        return 'OK'
        """;

    /// <summary>What EVALSHA calls it by: a name that Redis chose, no safeguard.</summary>
    [SuppressMessage("Security", "CA5350:Do Not Use Weak Cryptographic Algorithms", Justification = "EVALSHA names scripts by their SHA-1.")]
    public static string Sha { get; } = Convert.ToHexStringLower(SHA1.HashData(Encoding.UTF8.GetBytes(Text)));
}
