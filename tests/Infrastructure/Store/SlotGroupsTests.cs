using System.Text;
using CsCheck;
using StreamMl.Infrastructure.Store;
using StreamMl.Shared.Log;
using StreamMl.Shared.Store;

namespace StreamMl.Infrastructure.Tests.Store;

public sealed class SlotGroupsTests
{
    [Theory]
    [InlineData("123456789", 0x31C3)] // the check value of CRC16 XMODEM
    [InlineData("{user1000}.following", 3443)]
    [InlineData("{user1000}.followers", 3443)]
    [InlineData("foo{}{bar}", 8363)]
    [InlineData("foo{{bar}}zap", 4015)]
    [InlineData("foo{bar}{zap}", 5061)]
    public void SlotOf_ExamplesOfTheSpecification_AreRedisOwn(string key, int slot) =>
        SlotGroups.SlotOf(Encoding.UTF8.GetBytes(key)).ShouldBe(slot % 16384);

    [Fact]
    public void Of_AnyKeys_HasEachKeyOnceAndEachSlotOnce() =>
        Gen.Select(Gen.Int[0, 5], Gen.Int[0, 3], (tag, tail) => tag == 0 ? $"plain{tail}" : $"{{t/{tag}}}e{tail}").Array[0, 60].Sample(texts =>
        {
            var keys = new PackedBytes();
            foreach (var text in texts)
                keys.Add(Encoding.UTF8.GetBytes(text));
            var groups = SlotGroups.Of(keys);
            groups.SelectMany(g => g).Order().ShouldBe(Enumerable.Range(0, texts.Length));
            var slots = groups.Select(g => g.Select(i => SlotGroups.SlotOf(Encoding.UTF8.GetBytes(texts[i]))).Distinct().ShouldHaveSingleItem()).ToList();
            slots.ShouldBe(slots.Distinct());
        });

    /// <summary>A log's partitions must not crowd on one server: of n of them in k equal parts of the slots, the fullest has at most what balls thrown at random would give.</summary>
    [Theory]
    [InlineData("landings", 12, 3)]
    [InlineData("orders", 32, 3)]
    [InlineData("orders.by.customer", 64, 6)]
    [InlineData("clicks", 256, 12)]
    public void SlotOf_PartitionsOfALog_SpreadOverServers(string topic, int partitions, int servers)
    {
        var loads = Enumerable.Range(0, partitions)
            .Select(p => SlotGroups.SlotOf(Encoding.UTF8.GetBytes(LogNames.LedgerKey(new PartitionId(topic, p)))) * servers / 16384)
            .CountBy(server => server).Select(c => c.Value).ToList();
        var mean = (double)partitions / servers;
        loads.Count.ShouldBe(servers);
        ((double)loads.Max()).ShouldBeLessThanOrEqualTo(mean + (3 * Math.Sqrt(mean)));
    }
}
