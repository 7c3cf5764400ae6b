using StreamMl.Shared.Log;

namespace StreamMl.Ingestors.Replay;

/// <summary>What the replay has sent to one source partition, at one moment.</summary>
/// <param name="InFlight">Sent and not yet delivered.</param>
/// <param name="DeliveredEnd">One past the last delivered offset; 0 before the first.</param>
internal readonly record struct SentTo(long InFlight, long DeliveredEnd);

/// <summary>How far the replay may go, and what holds it there.</summary>
/// <param name="AllowedUs">Records that arrive up to here may be sent.</param>
/// <param name="Slowest">Who is waited for; null: nobody lags.</param>
internal readonly record struct GateState(long AllowedUs, string? Slowest);

/// <summary>
/// A record with arrival a may be sent while a ≤ (least arrival clock over all units that lag) + bound. A unit lags while its next offset is before what was
/// delivered to its log, or something is on its way there. Pure.
/// </summary>
internal static class GateRule
{
    /// <param name="units">The units.</param>
    /// <param name="positions">Theirs; null: none yet.</param>
    /// <param name="routes">By source partition and repartition topic: the ends.</param>
    /// <param name="sent">By source partition.</param>
    /// <param name="firstUs">The first arrival of this replay: the clock of a unit that has not begun.</param>
    /// <param name="reachedUs">The last arrival that was sent, or that waits to be sent: the clock where nobody lags.</param>
    /// <param name="boundUs">The bound.</param>
    public static GateState Decide(
        IReadOnlyList<GateUnit> units, Func<int, PositionRecord?> positions, IReadOnlyDictionary<PartitionId, Dictionary<string, long[]>> routes,
        Func<PartitionId, SentTo> sent, long firstUs, long reachedUs, long boundUs)
    {
        var (least, slowest) = (reachedUs, (string?)null);
        for (var i = 0; i < units.Count; i++)
        {
            var position = positions(i);
            if (!Lags(units[i], position?.NextOffset ?? 0, routes, sent))
                continue;
            var clockUs = Math.Max(position?.ArrivalClockUs ?? firstUs, firstUs);
            if (clockUs < least || slowest is null)
                (least, slowest) = (Math.Min(clockUs, least), units[i].Name);
        }

        return new GateState(least > long.MaxValue - boundUs ? long.MaxValue : least + boundUs, slowest);
    }

    private static bool Lags(
        GateUnit unit, long nextOffset, IReadOnlyDictionary<PartitionId, Dictionary<string, long[]>> routes, Func<PartitionId, SentTo> sent)
    {
        if (unit.Sources.Count == 0)
            return sent(unit.Log) is var s && (s.InFlight > 0 || nextOffset < s.DeliveredEnd);
        foreach (var source in unit.Sources)
        {
            if (routes.TryGetValue(source, out var ends) && ends.TryGetValue(unit.Log.Topic, out var offsets)
                && unit.Log.Partition < offsets.Length && nextOffset < offsets[unit.Log.Partition])
                return true;
        }

        return false;
    }
}
