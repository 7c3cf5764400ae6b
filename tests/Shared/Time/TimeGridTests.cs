using System.Text;
using CsCheck;
using StreamMl.Shared.Time;

namespace StreamMl.Shared.Tests.Time;

public sealed class TimeGridTests
{
    [Fact]
    public void Format_IntoBytes_IsTheText()
    {
        // Whole seconds and few decimals as often as any.
        var times = Gen.Select(Gen.Long[-62_135_596_800_000_000, 253_402_300_799_999_999], Gen.OneOf(Gen.Const(1L), Gen.Const(10L), Gen.Const(1_000L), Gen.Const(100_000L), Gen.Const(1_000_000L)), (us, step) => us / step * step);
        times.Sample(us =>
        {
            var bytes = new byte[TimeGrid.MaxFormatted];
            return Encoding.ASCII.GetString(bytes, 0, TimeGrid.Format(us, bytes)) == TimeGrid.Format(us);
        });
    }
}
