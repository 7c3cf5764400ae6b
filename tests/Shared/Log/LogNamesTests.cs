using StreamMl.Shared.Log;

namespace StreamMl.Shared.Tests.Log;

public sealed class LogNamesTests
{
    [Theory]
    [InlineData("landings", 0)]
    [InlineData("landings.by.origin-dest", 12)]
    public void TryParsePositionKey_OfAView_GivesItsParts(string topic, int partition)
    {
        var id = new PartitionId(topic, partition);
        LogNames.TryParsePositionKey(LogNames.PositionKey(id, "origin_landed", "0123abcd"), out var log, out var view, out var hash8).ShouldBeTrue();
        (log, view, hash8).ShouldBe((id, "origin_landed", "0123abcd"));
    }

    [Theory]
    [InlineData("{landings/0}!source!pos")]
    [InlineData("{landings/0}service.delay!pos")]
    [InlineData("{landings/0}origin_landed@0123abcd/x!pos")]
    [InlineData("{landings/x}origin_landed@0123abcd!pos")]
    [InlineData("{landings}origin_landed@0123abcd!pos")]
    [InlineData("landings")]
    [InlineData("")]
    public void TryParsePositionKey_OfAnythingElse_IsFalse(string key) =>
        LogNames.TryParsePositionKey(key, out _, out _, out _).ShouldBeFalse();
}
