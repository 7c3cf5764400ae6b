using StreamMl.Shared.Definitions;
using StreamMl.Shared.Time;

namespace StreamMl.BatchBackfill.Tests;

/// <summary>
/// The oracle: every value again from raw events by nothing but the formulas of semantics.md, one list after the other. Delays are multiples of
/// a quarter, so that sums are exact in any order.
/// </summary>
internal static class Naive
{
    private const long Lateness = 10 * TimeGrid.MicrosPerMinute;
    private static readonly (string Label, long WindowUs, long HopUs)[] Windows =
    [
        ("1h", TimeGrid.MicrosPerHour, TimeGrid.MicrosPerMinute), ("24h", TimeGrid.MicrosPerDay, TimeGrid.MicrosPerHour),
    ];

    public static IEnumerable<FeatureDefinition> Features => Windows.SelectMany(w => new[]
    {
        new FeatureDefinition($"count_{w.Label}", new Aggregation("count"), new TrailingWindow(TimeGrid.FromMicros(w.WindowUs))),
        new FeatureDefinition($"sum_{w.Label}", new Aggregation("sum", "delay"), new TrailingWindow(TimeGrid.FromMicros(w.WindowUs))),
        new FeatureDefinition($"mean_{w.Label}", new Aggregation("mean", "delay"), new TrailingWindow(TimeGrid.FromMicros(w.WindowUs))),
        new FeatureDefinition($"max_{w.Label}", new Aggregation("max", "delay"), new TrailingWindow(TimeGrid.FromMicros(w.WindowUs))),
    });

    public static bool IsDeadLetter(LabEvent e) => e.EventUs - e.ArrivalUs > TimeGrid.MicrosPerHour;

    /// <summary>The accepted records of one log partition: decodable, not too far in the future, not seen before.</summary>
    public static IEnumerable<LabRecord> Accepted(IEnumerable<LabRecord> partition)
    {
        var seen = new Dictionary<int, long>();
        foreach (var record in partition)
        {
            if (record.IsBroken)
                continue;
            if (record.SourcePartition >= 0)
            {
                if (record.SourceOffset <= seen.GetValueOrDefault(record.SourcePartition, -1))
                    continue;
                seen[record.SourcePartition] = record.SourceOffset;
            }

            if (!IsDeadLetter(record.Event))
                yield return record;
        }
    }

    /// <summary>The records of a partition that had arrived by a time: up to the first whose arrival clock is later.</summary>
    public static IReadOnlyList<LabRecord> ArrivedBy(IEnumerable<LabRecord> partition, long timeUs)
    {
        var clock = long.MinValue;
        return [.. partition.TakeWhile(r => (clock = Math.Max(clock, r.Event.ArrivalUs)) <= timeUs)];
    }

    /// <summary>Count, sum, mean and max per window for an entity at a time, from a prefix of its log partition.</summary>
    public static Dictionary<string, object?> Read(string view, IReadOnlyList<LabRecord> prefix, Func<LabEvent, bool> isMine, long asOfUs, long? fixedWatermarkUs = null)
    {
        var forgetAfter = Lateness + Windows[^1].WindowUs + Windows[^1].HopUs;
        var watermark = long.MinValue;
        var newest = long.MinValue;
        var kept = Windows.Select(_ => new List<LabEvent>()).ToList();
        foreach (var e in Accepted(prefix).Select(r => r.Event))
        {
            var before = fixedWatermarkUs is null ? watermark : e.EventUs;
            watermark = Math.Max(watermark, e.EventUs);
            if (!isMine(e))
                continue;
            if (newest != long.MinValue && before != long.MinValue && before - newest > forgetAfter)
            {
                newest = long.MinValue;
                kept.ForEach(k => k.Clear());
            }

            newest = Math.Max(newest, e.EventUs);
            for (var w = 0; w < Windows.Length; w++)
            {
                var (_, windowUs, hopUs) = Windows[w];
                if (TimeGrid.Floor(e.EventUs, hopUs) >= TimeGrid.Floor(newest - Lateness - windowUs, hopUs))
                    kept[w].Add(e);
            }
        }

        var final = fixedWatermarkUs ?? watermark;
        var isEmpty = newest == long.MinValue || (final != long.MinValue && final - newest > forgetAfter);
        var time = isEmpty ? asOfUs : Math.Max(asOfUs, newest - Lateness);
        var values = new Dictionary<string, object?>(StringComparer.Ordinal);
        for (var w = 0; w < Windows.Length; w++)
        {
            var (label, windowUs, hopUs) = Windows[w];
            var inside = isEmpty ? [] : kept[w].Where(e => TimeGrid.Floor(e.EventUs, hopUs) >= TimeGrid.Floor(time - windowUs, hopUs) && TimeGrid.Floor(e.EventUs, hopUs) <= TimeGrid.Floor(time, hopUs)).ToList();
            var delays = inside.Where(e => e.Delay is not null).Select(e => e.Delay!.Value).ToList();
            values[$"{view}.count_{label}"] = (long)inside.Count;
            values[$"{view}.sum_{label}"] = delays.Count == 0 ? null : delays.Sum();
            values[$"{view}.mean_{label}"] = delays.Count == 0 ? null : delays.Sum() / delays.Count;
            values[$"{view}.max_{label}"] = delays.Count == 0 ? null : delays.Max();
        }

        return values;
    }
}
