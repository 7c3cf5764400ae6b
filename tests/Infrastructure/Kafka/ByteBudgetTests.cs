using CsCheck;
using StreamMl.Infrastructure.Kafka;
using StreamMl.Shared.Log;

namespace StreamMl.Infrastructure.Tests.Kafka;

public sealed class ByteBudgetTests
{
    private const int Limit = 65_536;
    private static readonly PartitionId Partition = new("t", 0);

    [Fact]
    public async Task Reserve_BeyondLimit_WaitsForSlowestReader()
    {
        var budget = new ByteBudget(Limit);
        var fast = budget.AddReader("t", "fast");
        var slow = budget.AddReader("t", "slow");
        budget.TryReserve(Partition, 40_000).ShouldBeTrue();
        budget.Delivered(Partition, 0, 40_000);
        var waiting = budget.ReserveAsync(Partition, 40_000, CancellationToken.None).AsTask();
        fast.Release(0, 1);
        waiting.IsCompleted.ShouldBeFalse(budget.Describe(Partition));
        slow.Release(0, 1);
        await waiting;
        budget.HeldBytes(Partition).ShouldBe(40_000);
    }

    // A flush answers reports on its own thread beside the client's, so one may be told late.
    [Fact]
    public void Delivered_ReportOvertaken_HoldsWhatIsNotRead()
    {
        var budget = new ByteBudget(Limit);
        using var reader = budget.AddReader("t", "reader");
        budget.TryReserve(Partition, 200).ShouldBeTrue();
        budget.Delivered(Partition, 1, 100);
        budget.Delivered(Partition, 0, 100);
        reader.Release(0, 1);
        budget.HeldBytes(Partition).ShouldBeGreaterThanOrEqualTo(100, "offset 1 is still to be read");
        reader.Release(0, 2);
        budget.HeldBytes(Partition).ShouldBe(0);
    }

    [Fact]
    public void Reserve_WithoutReader_IsBoundedInFlightOnly()
    {
        var budget = new ByteBudget(Limit);
        budget.TryReserve(Partition, Limit).ShouldBeTrue();
        budget.TryReserve(Partition, 1).ShouldBeFalse();
        budget.Delivered(Partition, 7, Limit);
        budget.HeldBytes(Partition).ShouldBe(0);
    }

    [Fact]
    public void Reserve_RecordLargerThanBudget_PassesAlone()
    {
        var budget = new ByteBudget(Limit);
        budget.TryReserve(Partition, 10 * Limit).ShouldBeTrue();
        budget.TryReserve(Partition, 1).ShouldBeFalse();
        budget.Failed(Partition, 10 * Limit);
        budget.HeldBytes(Partition).ShouldBe(0);
    }

    [Fact]
    public async Task Reserve_Cancelled_LetsTheNextOnePass()
    {
        var budget = new ByteBudget(Limit);
        using var cancel = new CancellationTokenSource();
        budget.TryReserve(Partition, Limit - 10).ShouldBeTrue();
        var large = budget.ReserveAsync(Partition, Limit, cancel.Token).AsTask();
        var small = budget.ReserveAsync(Partition, 5, CancellationToken.None).AsTask();
        small.IsCompleted.ShouldBeFalse("they are served in order");
        await cancel.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(large);
        await small;
        budget.HeldBytes(Partition).ShouldBe(Limit - 5);
    }

    [Fact]
    public void Dispose_OfSlowestReader_ReleasesWhatItHeld()
    {
        var budget = new ByteBudget(Limit);
        var reader = budget.AddReader("t", "gone");
        budget.TryReserve(Partition, 100).ShouldBeTrue();
        budget.Delivered(Partition, 0, 100);
        reader.Dispose();
        budget.HeldBytes(Partition).ShouldBe(0);
    }

    [Fact]
    public void HeldBytes_AfterAnyHistory_IsWhatTheSlowestReaderLacks() => Gen.Select(Gen.Int[1, 20_000].Array[1, 200], Gen.Int[0, 200]).Sample((sizes, read) =>
    {
        // A model: the reader has read a prefix; what is held is at least the rest and at most one run of deliveries more.
        var budget = new ByteBudget();
        var reader = budget.AddReader("t", "reader");
        for (int i = 0; i < sizes.Length; i++)
        {
            if (!budget.TryReserve(Partition, sizes[i])) return;
            budget.Delivered(Partition, i, sizes[i]);
        }

        int next = Math.Min(read, sizes.Length);
        reader.Release(0, next);
        long rest = sizes.Skip(next).Sum(s => (long)s);
        budget.HeldBytes(Partition).ShouldBeInRange(rest, rest + 16_384);
    });
}
