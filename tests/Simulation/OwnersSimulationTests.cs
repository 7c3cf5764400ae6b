using System.Buffers.Binary;
using System.Text;
using StreamMl.Shared.Log;
using StreamMl.Shared.Store;
using StreamMl.TestKit.Store;

namespace StreamMl.Simulation.Tests;

/// <summary>
/// Owners of one log partition that claim, commit, lose answers and come back as zombies in an order that a seed decides. After every step the stored state is that
/// of the stored prefix, the position has not gone back, and nobody who was fenced got a commit through. A failing seed is in the message.
/// </summary>
public sealed class OwnersSimulationTests
{
    private const int SeedsMax = 2_000;
    private const int Steps = 60;
    private static readonly PartitionId Log = new("landings", 0);
    private static readonly string PositionName = LogNames.PositionKey(Log, "v", "00000000");
    private static readonly byte[] StateKey = LogNames.StateKey(Log, "v", "00000000", "all"u8);

    [Fact]
    public async Task Owners_AnyOrderOfClaimsCommitsAndLostAnswers_StateIsThatOfThePrefix()
    {
        Seeds.SkipIfOnlyOne();
        for (var seed = 0; seed < SeedsMax; seed++)
            (await RunAsync(new Random(seed), checksPosition: true)).ShouldBeNull($"seed {seed}");
    }

    [Fact]
    public async Task Owners_CommitsDoNotCheckThePosition_IsFound()
    {
        Seeds.SkipIfOnlyOne();
        for (var seed = 0; seed < SeedsMax; seed++)
        {
            if (await RunAsync(new Random(seed), checksPosition: false) is not null)
                return;
        }

        throw new InvalidOperationException($"{SeedsMax} seeds did not find a planted bug");
    }

    /// <returns>What is wrong, or null.</returns>
    private static async Task<string?> RunAsync(Random random, bool checksPosition)
    {
        var store = new InMemoryStateStore();
        var owners = new PositionRecord?[3];
        var (epoch, reached) = (0L, 0L);
        for (var step = 0; step < Steps; step++)
        {
            store.Fault = _ => random.Next(8) switch { 0 => CommitFault.LoseAnswer, 1 => CommitFault.LoseRequest, _ => CommitFault.None };
            var i = random.Next(owners.Length);
            if (owners[i] is not { } owner)
            {
                owners[i] = (await store.ClaimAsync(Log, [PositionName], TestContext.Current.CancellationToken))[0];
                epoch = Math.Max(epoch, owners[i]!.Epoch);
            }
            else
            {
                var next = owner with { NextOffset = owner.NextOffset + random.Next(1, 5) };
                var result = await store.CommitAsync(Commit(owner, next, checksPosition), TestContext.Current.CancellationToken);
                if (result.Status == CommitStatus.Committed && owner.Epoch < epoch)
                    return $"step {step}: the owner of epoch {owner.Epoch} committed after epoch {epoch} had claimed";
                // After anything but a clear yes the owner knows nothing, and must claim again.
                owners[i] = result.Status == CommitStatus.Committed ? next : null;
            }

            var (position, state) = Stored(store);
            if (position < reached)
                return $"step {step}: the position went back from {reached} to {position}";
            if (state != StateOf(position))
                return $"step {step}: at position {position} the state is {state} and must be {StateOf(position)}";
            reached = position;
        }

        return null;
    }

    private static StoreCommit Commit(PositionRecord from, PositionRecord to, bool checksPosition)
    {
        var commit = new StoreCommit(Log);
        var key = Encoding.UTF8.GetBytes(PositionName);
        if (checksPosition)
            commit.Expect(key, from.Encode());
        var state = new byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(state, StateOf(to.NextOffset));
        commit.Set(StateKey, state);
        commit.Set(key, to.Encode());
        return commit;
    }

    private static (long Position, long State) Stored(InMemoryStateStore store)
    {
        var entries = store.Snapshot();
        var position = entries.TryGetValue(PositionName, out var bytes) ? PositionRecord.Decode(bytes).NextOffset : 0;
        return (position, entries.TryGetValue(Encoding.Latin1.GetString(StateKey), out var state) ? BinaryPrimitives.ReadInt64LittleEndian(state) : 0);
    }

    /// <summary>The naive state of a prefix: the sum of the squares of its offsets.</summary>
    private static long StateOf(long nextOffset)
    {
        var sum = 0L;
        for (var offset = 0L; offset < nextOffset; offset++)
            sum += offset * offset;
        return sum;
    }
}
