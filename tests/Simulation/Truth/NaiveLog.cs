using System.Buffers.Binary;
using StreamMl.FeatureEngine.Tests;
using StreamMl.Shared.Log;
using StreamMl.Shared.Time;
using StreamMl.Simulation.Tests.Cluster;
using StreamMl.StreamFeatures.Logs;
using StreamMl.StreamFeatures.Tests.Lab;

namespace StreamMl.Simulation.Tests.Truth;

/// <summary>What a view made of an event, the best first.</summary>
internal enum NaiveOutcome
{
    Applied,
    Late,
    Filtered,
}

/// <summary>What became of a record by the words of docs/semantics.md; the ledger as those of each catalogue count it who have counted the log alone.</summary>
internal sealed record NaiveRow(long Offset, LedgerCounts LedgerOfFirst, LedgerCounts LedgerOfLast, long WatermarkAfterUs, bool IsDead, bool IsRouted, (int Partition, long Offset) Origin, bool IsDuplicate);

/// <summary>
/// The oracle of one log partition: what each record is, and which events each entity of each view has, record by record from the log alone. It
/// shares no code with the gate, the decoder, the views or the ledger.
/// </summary>
internal sealed class NaiveLog
{
    private readonly LogPlan plan;
    private readonly NaiveView[] oracles;
    private readonly Dictionary<string, List<NaiveEvent>>[] events;
    private readonly Dictionary<int, long> lastSeen = [];
    private readonly List<NaiveRow> rows = [];
    private readonly Dictionary<byte[], Landing?> landings;
    private readonly bool[] isInFirst;

    public NaiveLog(LogPlan first, LogPlan plan, Dictionary<byte[], Landing?> landings)
    {
        (this.plan, this.landings) = (plan, landings);
        isInFirst = [.. plan.Views.Select(v => first.Views.Any(f => f.View.Name == v.View.Name))];
        oracles = [.. plan.Views.Select(v => new NaiveView(v.View))];
        events = [.. plan.Views.Select(_ => new Dictionary<string, List<NaiveEvent>>())];
    }

    public IReadOnlyList<NaiveRow> Rows => rows;

    public NaiveView Oracle(int view) => oracles[view];

    public IEnumerable<string> Entities(int view) => events[view].Keys;

    public void Append(SimRecord record) => rows.Add(Judge(record, rows.Count == 0 ? PositionRecord.None : rows[^1].WatermarkAfterUs));

    /// <summary>Rows of the prefix [0, nextOffset).</summary>
    public int Prefix(long nextOffset)
    {
        var (low, high) = (0, rows.Count);
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (rows[middle].Offset < nextOffset)
                low = middle + 1;
            else
                high = middle;
        }

        return low;
    }

    /// <summary>The ledger of the prefix as workers of one of the catalogues count it.</summary>
    public LedgerCounts LedgerAt(long nextOffset, bool ofLast = true) =>
        Prefix(nextOffset) is > 0 and var count ? ofLast ? rows[count - 1].LedgerOfLast : rows[count - 1].LedgerOfFirst : default;

    public long WatermarkAt(long nextOffset) => Prefix(nextOffset) is > 0 and var count ? rows[count - 1].WatermarkAfterUs : PositionRecord.None;

    /// <summary>The entity's events in the prefix.</summary>
    public List<NaiveEvent> Events(int view, string entity, long nextOffset) =>
        events[view].TryGetValue(entity, out var all) ? all.Count > 0 && all[^1].Offset < nextOffset ? all : all.FindAll(e => e.Offset < nextOffset) : [];

    /// <summary>Entities of the view that have an event in [from, to).</summary>
    public IEnumerable<string> Touched(int view, long from, long to) => events[view].Where(e => e.Value.Exists(v => v.Offset >= from && v.Offset < to)).Select(e => e.Key);

    private NaiveRow Judge(SimRecord record, long watermarkUs)
    {
        var origin = OriginOf(record);
        var (ofFirst, ofLast) = rows.Count == 0 ? default : (rows[^1].LedgerOfFirst, rows[^1].LedgerOfLast);
        NaiveRow Row(LedgerCounts counts, bool dead = false, bool duplicate = false) =>
            new(record.Offset, ofFirst + counts with { Read = 1 }, ofLast + counts with { Read = 1 }, watermarkUs, dead, false, origin, duplicate);
        if (landings[record.Value] is not { } landing)
            return Row(new LedgerCounts { DeadLettered = 1 }, dead: true);
        if (origin.Partition >= 0)
        {
            if (lastSeen.TryGetValue(origin.Partition, out var seen) && origin.Offset <= seen)
                return Row(new LedgerCounts { Duplicate = 1 }, duplicate: true);
            lastSeen[origin.Partition] = origin.Offset;
        }

        if (landing.AtUs - record.TimestampUs > TimeGrid.ToMicros(plan.Source.MaxFutureSkew))
            return Row(new LedgerCounts { DeadLettered = 1 }, dead: true);
        var isRouted = plan.Routes.Count > 0 && landing.Origin is not null;
        var (first, last) = Apply(landing, record.Offset, watermarkUs);
        if (isRouted)
            (first, last) = (NaiveOutcome.Applied, NaiveOutcome.Applied);
        watermarkUs = Math.Max(watermarkUs, landing.AtUs);
        return Row(default) with { LedgerOfFirst = ofFirst + Counted(first), LedgerOfLast = ofLast + Counted(last), IsRouted = isRouted };
    }

    /// <returns>The best that any view of the first catalogue made of it, and any of the last.</returns>
    private (NaiveOutcome First, NaiveOutcome Last) Apply(Landing landing, long offset, long watermarkUs)
    {
        var (first, last) = (NaiveOutcome.Filtered, NaiveOutcome.Filtered);
        for (var v = 0; v < oracles.Length; v++)
        {
            var view = plan.Views[v].View;
            var key = view.KeyFields is ["tail"] ? landing.Tail : landing.Origin;
            if (key is null || (view.Filter is "delay > 15" && landing.Delay is not > 15))
                continue;
            if (!events[v].TryGetValue(key, out var of))
                events[v].Add(key, of = []);
            var e = new NaiveEvent(offset, landing.AtUs, watermarkUs, key, new Dictionary<string, object?> { ["tail"] = landing.Tail, ["delay"] = landing.Delay });
            var isLate = oracles[v].IsLate(of, e);
            of.Add(e);
            var outcome = isLate ? NaiveOutcome.Late : NaiveOutcome.Applied;
            last = Better(last, outcome);
            if (isInFirst[v])
                first = Better(first, outcome);
        }

        return (first, last);
    }

    private static NaiveOutcome Better(NaiveOutcome a, NaiveOutcome b) => a < b ? a : b;

    private static LedgerCounts Counted(NaiveOutcome outcome) => outcome switch
    {
        NaiveOutcome.Applied => new LedgerCounts { Read = 1, Applied = 1 },
        NaiveOutcome.Late => new LedgerCounts { Read = 1, Late = 1 },
        _ => new LedgerCounts { Read = 1, Filtered = 1 },
    };

    private static (int Partition, long Offset) OriginOf(SimRecord record)
    {
        foreach (var header in record.Headers)
        {
            if (header.Name == LogNames.SourcePositionHeader)
                return (BinaryPrimitives.ReadInt32BigEndian(header.Value), BinaryPrimitives.ReadInt64BigEndian(header.Value.AsSpan(4)));
        }

        return (-1, -1);
    }
}
