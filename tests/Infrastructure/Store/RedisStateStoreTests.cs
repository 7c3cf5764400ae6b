using System.Text;
using StackExchange.Redis;
using StreamMl.Infrastructure.Store;
using StreamMl.Shared.Definitions;
using StreamMl.Shared.Log;
using StreamMl.Shared.Store;
using StreamMl.TestKit.Servers;

namespace StreamMl.Infrastructure.Tests.Store;

/// <summary>What every server that may hold the store must do.</summary>
public sealed class RedisStateStoreTests(RedisFixture redis, StoreServers servers)
{
    public static TheoryData<StoreKind> Kinds => [.. Enum.GetValues<StoreKind>()];

    [Theory]
    [MemberData(nameof(Kinds))]
    public Task Views_OfAStoreWithStates_AreThoseThatHavePositions(StoreKind kind) => WithStoreAsync(kind, async (store, log, connection) =>
    {
        var commit = new StoreCommit(log);
        commit.Set(Encoding.UTF8.GetBytes(LogNames.PositionKey(log, "landed", "0123abcd")), [1]);
        commit.Set(Encoding.UTF8.GetBytes(LogNames.SourcePositionKey(log)), [1]);
        commit.Set(Encoding.UTF8.GetBytes(LogNames.ServicePositionKey(log, "delay")), [1]);
        commit.Set(LogNames.StateKey(log, "landed", "0123abcd", "x!pos"u8), [1]);
        await store.CommitAsync(commit, default);
        (await new RedisStoreDirectory(connection).ViewsAsync(default)).Where(v => v.Log == log).ShouldBe([new StoredView(log, "landed", "0123abcd")]);
    });

    [Theory]
    [MemberData(nameof(Kinds))]
    public Task Commit_MoreStatesThanLuaUnpacks_WritesAllAndPosition(StoreKind kind) => WithStoreAsync(kind, async (store, log) =>
    {
        const int States = 10_001;
        var commit = new StoreCommit(log);
        commit.Expect(PositionKey(log), null);
        for (var i = 0; i < States; i++)
            commit.Set(StateKey(log, i), BitConverter.GetBytes(i));
        commit.Set(PositionKey(log), [1]);
        (await store.CommitAsync(commit, default)).Status.ShouldBe(CommitStatus.Committed);

        using var values = await store.ReadAsync(Keys(log, States + 1), default);
        for (var i = 0; i < States; i++)
            values[i].SequenceEqual(BitConverter.GetBytes(i)).ShouldBeTrue($"state {i}");
        values.Has(States).ShouldBeFalse();
    });

    [Theory]
    [MemberData(nameof(Kinds))]
    public Task Commit_PositionMoved_RefusedWithActualAndNothingWritten(StoreKind kind) => WithStoreAsync(kind, async (store, log) =>
    {
        (await store.CommitAsync(Commit(log, null, [1]), default)).Status.ShouldBe(CommitStatus.Committed);
        (await store.CommitAsync(Commit(log, [1], [2]), default)).Status.ShouldBe(CommitStatus.Committed);

        foreach (var expected in new byte[]?[] { [1], null, [2, 0] })
        {
            var refused = await store.CommitAsync(Commit(log, expected, [3]), default);
            refused.Status.ShouldBe(CommitStatus.Refused);
            refused.Actual.ShouldBe([[2]]);
        }

        using var values = await store.ReadAsync(Keys(log, 1), default);
        values[0].ToArray().ShouldBe([2]);
    });

    [Theory]
    [MemberData(nameof(Kinds))]
    public Task Commit_EmptyState_DeletesKey(StoreKind kind) => WithStoreAsync(kind, async (store, log) =>
    {
        await store.CommitAsync(Commit(log, null, [1]), default);
        var commit = new StoreCommit(log);
        commit.Expect(PositionKey(log), [1]);
        commit.EndSet(StateKey(log, 0), []);
        (await store.CommitAsync(commit, default)).Status.ShouldBe(CommitStatus.Committed);
        using var values = await store.ReadAsync(Keys(log, 1), default);
        values.Has(0).ShouldBeFalse();
    });

    [Theory]
    [MemberData(nameof(Kinds))]
    public Task Claim_Twice_RaisesEpochAndFencesTheFirst(StoreKind kind) => WithStoreAsync(kind, async (store, log) =>
    {
        string[] keys = [LogNames.SourcePositionKey(log), LogNames.PositionKey(log, "v", "00000000")];
        var first = await store.ClaimAsync(log, keys, default);
        var second = await store.ClaimAsync(log, keys, default);
        first.Select(p => p.Epoch).ShouldBe([1, 1]);
        second.Select(p => p.Epoch).ShouldBe([2, 2]);
        var zombie = new StoreCommit(log);
        zombie.Expect(Encoding.UTF8.GetBytes(keys[0]), first[0].Encode());
        zombie.Set(StateKey(log, 0), [1]);
        (await store.CommitAsync(zombie, default)).Status.ShouldBe(CommitStatus.Refused);
    });

    [Theory]
    [MemberData(nameof(Kinds))]
    public Task Read_WhileCommitsRun_IsOfOneMoment(StoreKind kind) => WithStoreAsync(kind, async (store, log) =>
    {
        const int States = 200;
        using var done = new CancellationTokenSource();
        var writing = Task.Run(async () =>
        {
            byte[]? position = null;
            for (var round = 1; round <= 300; round++)
            {
                var commit = new StoreCommit(log);
                commit.Expect(PositionKey(log), position);
                position = BitConverter.GetBytes(round);
                for (var i = 0; i < States; i++)
                    commit.Set(StateKey(log, i), position);
                commit.Set(PositionKey(log), position);
                (await store.CommitAsync(commit, default)).Status.ShouldBe(CommitStatus.Committed);
            }

            await done.CancelAsync();
        });
        var (reads, torn) = (0, 0);
        var keys = Keys(log, States);
        keys.Add(PositionKey(log));
        while (!done.IsCancellationRequested)
        {
            using var values = await store.ReadAsync(keys, default);
            reads++;
            for (var i = 0; i < States; i++)
            {
                if (!values[i].SequenceEqual(values[States]))
                {
                    torn++;
                    break;
                }
            }
        }

        await writing;
        torn.ShouldBe(0, $"of {reads} reads");
    });

    [Theory]
    [MemberData(nameof(Kinds))]
    public Task Read_KeysOfManyPartitions_AnswersInTheirOrder(StoreKind kind) => WithStoreAsync(kind, async (store, log) =>
    {
        const int Logs = 40;
        var keys = new PackedBytes();
        for (var i = 0; i < Logs; i++)
        {
            var other = log with { Partition = i };
            (await store.CommitAsync(Commit(other, null, [(byte)i]), default)).Status.ShouldBe(CommitStatus.Committed);
        }

        // interleaved: each partition's keys are in several places of the read, as a plan's positions are
        for (var round = 0; round < 3; round++)
        {
            for (var i = 0; i < Logs; i++)
                keys.Add(round == 1 && i % 2 == 0 ? StateKey(log with { Partition = i }, 99) : StateKey(log with { Partition = i }, 0));
        }

        using var values = await store.ReadAsync(keys, default);
        for (var at = 0; at < keys.Count; at++)
            (values.ToArray(at) ?? []).ShouldBe(at / Logs == 1 && at % 2 == 0 ? [] : [(byte)(at % Logs)], $"key {at}");
    });

    [Theory]
    [MemberData(nameof(Kinds))]
    public Task Sweep_OfAStoreInManyPlaces_CountsAndDeletesAll(StoreKind kind) => WithStoreAsync(kind, async (store, log, connection) =>
    {
        const int Logs = 30;
        for (var i = 0; i < Logs; i++)
            await store.CommitAsync(Commit(log with { Partition = i }, null, [1]), default);
        var sweep = new StoreSweep(connection);
        (await sweep.CountAsync(k => k.Log.Topic == log.Topic, default)).Sum(c => c.Count).ShouldBe(2 * Logs);
        (await sweep.DeleteAsync(k => k.Log.Topic == log.Topic, default)).ShouldBe(2 * Logs);
        (await sweep.CountAsync(k => k.Log.Topic == log.Topic, default)).ShouldBeEmpty();
    });

    private static StoreCommit Commit(PartitionId log, byte[]? expected, byte[] position)
    {
        var commit = new StoreCommit(log);
        commit.Expect(PositionKey(log), expected);
        commit.Set(StateKey(log, 0), position);
        commit.Set(PositionKey(log), position);
        return commit;
    }

    private static PackedBytes Keys(PartitionId log, int count)
    {
        var keys = new PackedBytes(count);
        for (var i = 0; i < count; i++)
            keys.Add(StateKey(log, i));
        return keys;
    }

    private static byte[] PositionKey(PartitionId log) => Encoding.UTF8.GetBytes(LogNames.PositionKey(log, "v", "00000000"));

    private static byte[] StateKey(PartitionId log, int entity) => LogNames.StateKey(log, "v", "00000000", Encoding.UTF8.GetBytes($"e{entity}"));

    private Task WithStoreAsync(StoreKind kind, Func<IStateStore, PartitionId, Task> test) => WithStoreAsync(kind, (store, log, _) => test(store, log));

    private async Task WithStoreAsync(StoreKind kind, Func<IStateStore, PartitionId, IConnectionMultiplexer, Task> test)
    {
        var connection = kind == StoreKind.Redis ? redis.Connection : await servers.ConnectAsync(kind);
        await test(new RedisStateStore(connection), new PartitionId(TestEnvironment.UniqueName("store"), 0), connection);
    }
}
