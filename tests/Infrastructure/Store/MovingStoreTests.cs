using System.Globalization;
using System.Text;
using StackExchange.Redis;
using StreamMl.Infrastructure.Redis;
using StreamMl.Infrastructure.Store;
using StreamMl.Shared.Log;
using StreamMl.Shared.Store;
using StreamMl.TestKit.Servers;

namespace StreamMl.Infrastructure.Tests.Store;

/// <summary>
/// Commits and reads while slots move and primaries die. Writers do what a worker does: compare, write absolutely, and after a refusal or a lost answer go on from what the store
/// says, which may be less than was acknowledged. Whatever happens, no reader sees half of a commit.
/// </summary>
public sealed class MovingStoreTests
{
    private const int Logs = 6;
    private const int States = 40;
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20);

    public static TheoryData<bool> Servers => [false, true];

    [Theory]
    [MemberData(nameof(Servers))]
    public async Task Read_WhileSlotsMove_NeverSeesHalf(bool valkey)
    {
        await using var cluster = await RedisCluster.StartAsync(Program(valkey));
        var traffic = await WatchAsync(cluster.Endpoint, async (logs, reads) =>
        {
            foreach (var log in logs)
            {
                var owner = await cluster.OwnerAsync(RedisCluster.SlotOf(log));
                await cluster.MigrateAsync(RedisCluster.SlotOf(log), cluster.Nodes.Take(3).First(n => n != owner), reads);
                await reads();
            }
        });
        traffic.Torn.ShouldBe(0, $"of {traffic.Reads} reads");
        traffic.WentBack.ShouldBe(0);
    }

    [Theory]
    [MemberData(nameof(Servers))]
    public async Task Read_WhilePrimariesDie_NeverSeesHalf(bool valkey)
    {
        await using var cluster = await RedisCluster.StartAsync(Program(valkey));
        var traffic = await WatchAsync(cluster.Endpoint, async (logs, reads) =>
        {
            foreach (var log in logs.Take(2))
            {
                var dead = await cluster.FailOverAsync(RedisCluster.SlotOf(log));
                await reads();
                await dead.StartAsync();
                await cluster.WholeAsync();
            }
        });
        traffic.Torn.ShouldBe(0, $"of {traffic.Reads} reads");
    }

    [Fact]
    public async Task Read_FailoverToAReplicaThatFellBehind_GoesBackToAWholeCommit()
    {
        await using var cluster = await RedisCluster.StartAsync(Program(valkey: false));
        var traffic = await WatchAsync(cluster.Endpoint, async (logs, reads) =>
        {
            await cluster.CutReplicaAsync(await cluster.OwnerAsync(RedisCluster.SlotOf(logs[0])));
            await reads();
            await cluster.FailOverAsync(RedisCluster.SlotOf(logs[0]));
        });
        traffic.Torn.ShouldBe(0, $"of {traffic.Reads} reads");
        traffic.WentBack.ShouldBeGreaterThan(0);
    }

    [Fact]
    public async Task Sweep_PrimaryIsDead_IsRefusedInsteadOfLeavingItsKeysOut()
    {
        await using var cluster = await RedisCluster.StartAsync(Program(valkey: false));
        await using var connection = await cluster.Endpoint.ConnectAsync(default);
        var log = new PartitionId("swept", 0);
        var owner = await cluster.OwnerAsync(RedisCluster.SlotOf(log));
        var id = await owner.AskAsync("CLUSTER", "MYID");
        foreach (var replica in cluster.Nodes.Skip(3))
        {
            if ((await replica.AskAsync("CLUSTER", "NODES")).Split('\n').Single(l => l.Contains("myself", StringComparison.Ordinal)).Contains(id, StringComparison.Ordinal))
                await replica.KillAsync();
        }

        await owner.KillAsync();
        var error = await Should.ThrowAsync<StoreUnavailableException>(() => new StoreSweep(connection).CountAsync(_ => true, default));
        error.Message.ShouldContain("of 16384 slots");
    }

    /// <summary>Sentinels watch a primary and its replica; <c>serviceName</c> follows whoever is primary.</summary>
    [Fact]
    public async Task Read_WhileSentinelsFailOver_NeverSeesHalf()
    {
        await using var primary = await RedisProcess.StartAsync(RedisProcess.RedisServer);
        await using var replica = await RedisProcess.StartAsync(RedisProcess.RedisServer, "--replicaof", $"127.0.0.1 {primary.Port}");
        await TestKit.Eventually.Until(async () => (await replica.AskAsync("INFO", "replication")).Contains("master_link_status:up", StringComparison.Ordinal), () => "the replica does not follow");
        var sentinels = new List<RedisProcess>();
        try
        {
            for (var i = 0; i < 3; i++)
                sentinels.Add(await WatchingAsync(primary));
            await TestKit.Eventually.Until(
                async () => (await Task.WhenAll(sentinels.Select(s => s.AskAsync("SENTINEL", "MASTER", "store")))).All(v => Field(v, "num-other-sentinels") == "2" && Field(v, "num-slaves") == "1"),
                () => "the sentinels do not know each other");
            var endpoint = RedisEndpoint.Of($"{string.Join(',', sentinels.Select(s => s.Endpoint))},serviceName=store,connectTimeout=2000,asyncTimeout=3000");
            var traffic = await WatchAsync(endpoint, async (_, reads) =>
            {
                await primary.KillAsync();
                await TestKit.Eventually.Until(async () => (await replica.AskAsync("INFO", "replication")).Contains("role:master", StringComparison.Ordinal), () => "the sentinels promote nobody");
                await reads();
            });
            traffic.Torn.ShouldBe(0, $"of {traffic.Reads} reads");
        }
        finally
        {
            foreach (var sentinel in sentinels)
                await sentinel.DisposeAsync();
        }
    }

    private static async Task<RedisProcess> WatchingAsync(RedisProcess primary)
    {
        var sentinel = await RedisProcess.StartAsync(RedisProcess.RedisServer, "--sentinel");
        await sentinel.AskAsync("SENTINEL", "MONITOR", "store", "127.0.0.1", primary.Port.ToString(CultureInfo.InvariantCulture), "2");
        await sentinel.AskAsync("SENTINEL", "SET", "store", "down-after-milliseconds", "800");
        await sentinel.AskAsync("SENTINEL", "SET", "store", "failover-timeout", "3000");
        return sentinel;
    }

    private static string Field(string answer, string name)
    {
        var lines = answer.Split('\n').Select(l => l.Trim()).ToList();
        return lines.IndexOf(name) is var at and >= 0 ? lines[at + 1] : "";
    }

    private static string? Program(bool valkey) => valkey ? RedisProcess.ValkeyServer : RedisProcess.RedisServer;

    /// <summary>Commits to every log and reads all of them at once while something is done to the servers.</summary>
    /// <param name="endpoint">The servers.</param>
    /// <param name="disturb">What is done; is given the logs, and waits with the second for every log's next commit to be read.</param>
    private static async Task<Traffic> WatchAsync(RedisEndpoint endpoint, Func<PartitionId[], Func<Task>, Task> disturb)
    {
        await using var connection = await endpoint.ConnectAsync(default);
        var store = new RedisStateStore(connection);
        PartitionId[] logs = [.. Enumerable.Range(0, Logs).Select(i => new PartitionId("moving", i))];
        var traffic = new Traffic(logs.Length);
        using var done = new CancellationTokenSource();
        var running = logs.Select(log => Task.Run(() => WriteAsync(store, log, traffic, done.Token))).Append(Task.Run(() => ReadAsync(store, logs, traffic, done.Token))).ToList();
        await traffic.NextAsync();
        await disturb(logs, traffic.NextAsync);
        await traffic.NextAsync();
        await done.CancelAsync();
        await Task.WhenAll(running);
        return traffic;
    }

    private static async Task WriteAsync(IStateStore store, PartitionId log, Traffic traffic, CancellationToken done)
    {
        var position = await PositionAsync(store, log);
        while (!done.IsCancellationRequested)
        {
            var next = BitConverter.GetBytes(Round(position) + 1);
            var commit = new StoreCommit(log);
            commit.Expect(Key(log, "pos"), position);
            for (var i = 0; i < States; i++)
                commit.Set(Key(log, $"state{i}"), next);
            commit.Set(Key(log, "pos"), next);
            try
            {
                var result = await store.CommitAsync(commit, CancellationToken.None);
                var stands = result.Status == CommitStatus.Committed ? next : await PositionAsync(store, log);
                traffic.Acknowledged(position, stands);
                position = stands;
            }
            catch (StoreUnavailableException)
            {
                await Task.Delay(Pause, TimeProvider.System, CancellationToken.None);
            }
        }
    }

    private static async Task<byte[]?> PositionAsync(IStateStore store, PartitionId log)
    {
        var keys = new PackedBytes();
        keys.Add(Key(log, "pos"));
        while (true)
        {
            try
            {
                using var values = await store.ReadAsync(keys, CancellationToken.None);
                return values.ToArray(0);
            }
            catch (StoreUnavailableException)
            {
                await Task.Delay(Pause, TimeProvider.System, CancellationToken.None);
            }
        }
    }

    private static async Task ReadAsync(IStateStore store, PartitionId[] logs, Traffic traffic, CancellationToken done)
    {
        var keys = new PackedBytes();
        foreach (var log in logs)
        {
            for (var i = 0; i < States; i++)
                keys.Add(Key(log, $"state{i}"));
            keys.Add(Key(log, "pos"));
        }

        while (!done.IsCancellationRequested)
        {
            try
            {
                using var values = await store.ReadAsync(keys, CancellationToken.None);
                traffic.Judge(values, logs.Length);
            }
            catch (StoreUnavailableException)
            {
                await Task.Delay(Pause, TimeProvider.System, CancellationToken.None);
            }
        }
    }

    private static long Round(ReadOnlySpan<byte> position) => position.IsEmpty ? 0 : BitConverter.ToInt64(position);

    private static byte[] Key(PartitionId log, string name) => Encoding.UTF8.GetBytes($"{LogNames.HashTag(log)}{name}");

    /// <summary>What the reader and the writers saw. Reads are judged by one thread.</summary>
    private sealed class Traffic(int logs)
    {
        private readonly long[] positions = new long[logs];
        private int wentBack;

        public int Reads { get; private set; }

        public int Torn { get; private set; }

        /// <summary>Times that a writer found less in the store than had been acknowledged to it.</summary>
        public int WentBack => wentBack;

        public void Acknowledged(byte[]? before, byte[]? now)
        {
            if (Round(now) < Round(before))
                Interlocked.Increment(ref wentBack);
        }

        public void Judge(StoreValues values, int logCount)
        {
            Reads++;
            for (var log = 0; log < logCount; log++)
            {
                var first = log * (States + 1);
                var position = values[first + States];
                for (var i = 0; i < States; i++)
                {
                    if (!values[first + i].SequenceEqual(position))
                    {
                        Torn++;
                        break;
                    }
                }

                Volatile.Write(ref positions[log], Round(position));
            }
        }

        /// <summary>Waits until another commit of every log has been read.</summary>
        public async Task NextAsync()
        {
            for (var log = 0; log < positions.Length; log++)
            {
                var at = Volatile.Read(ref positions[log]);
                var one = log;
                await TestKit.Eventually.Until(() => Volatile.Read(ref positions[one]) != at, () => $"log {one} stands at {at} after {Reads} reads");
            }
        }
    }
}
