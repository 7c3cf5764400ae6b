using StreamMl.Ingestors.Replay;
using StreamMl.Shared.Log;

namespace StreamMl.Ingestors.Tests.Replay;

public sealed class SentLedgerTests
{
    private static readonly PartitionId Taps = new("taps", 0);

    // A flush answers reports on its own thread beside the client's, so one may be told late.
    [Fact]
    public void Delivered_ReportOvertaken_KeepsTheEnd()
    {
        var sent = new SentLedger();
        foreach (var offset in (long[])[0, 2, 1])
        {
            sent.Sending(Taps);
            sent.Delivered(Taps, offset);
        }

        sent.At(Taps).ShouldBe(new SentTo(0, 3));
    }
}
