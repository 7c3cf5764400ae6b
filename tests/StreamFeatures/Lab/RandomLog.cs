using CsCheck;
using StreamMl.Shared.Log;

namespace StreamMl.StreamFeatures.Tests.Lab;

/// <summary>Logs with everything that happens: late events, nulls, bad bytes, events from the future, unknown framing.</summary>
internal static class RandomLog
{
    private const long StartUs = 1_700_000_000_000_000;

    private static readonly Gen<(Landing? Event, long ArrivalUs)> Record = Gen.Select(
        Gen.Int[0, 5], Gen.Int[0, 3], Gen.Int[-40, 90], Gen.Int[0, 7_200], Gen.Int[0, 99],
        (tail, origin, delay, second, kind) =>
        {
            var arrivalUs = StartUs + (second * 1_000_000L);
            var lateUs = kind < 60 ? kind * 1_000_000L : kind * 60_000_000L;
            var at = kind > 96 ? arrivalUs + 600_000_000 : arrivalUs - lateUs;
            return (kind is 95 ? null : new Landing($"N{tail}", at, origin == 3 ? null : $"A|{origin}", delay < -30 ? null : delay), arrivalUs);
        });

    public static Gen<(Landing? Event, long ArrivalUs)[]> Records(int max, int min = 1) => Record.Array[min, max].Select(all => all.OrderBy(r => r.ArrivalUs).ToArray());

    public static void Fill(FakeBroker broker, int partitions, IEnumerable<(Landing? Event, long ArrivalUs)> records)
    {
        foreach (var (landing, arrivalUs) in records)
        {
            var key = landing?.Key ?? [1];
            var target = new PartitionId(TestCatalog.Topic, KeyPartitioner.PartitionOf(key, partitions));
            broker.Append(target, arrivalUs / 1000 * 1000, key, landing?.Encode() ?? [0, 0, 0, 0, 7, 255, 255], []);
        }
    }
}
