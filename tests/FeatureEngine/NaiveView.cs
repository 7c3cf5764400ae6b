using StreamMl.Shared.Definitions;
using StreamMl.Shared.Time;

namespace StreamMl.FeatureEngine.Tests;

/// <summary>One event as the oracle sees it; values by column name, null for null.</summary>
internal sealed record NaiveEvent(long Offset, long EventTimeUs, long WatermarkUs, string? Key, IReadOnlyDictionary<string, object?> Values);

/// <summary>
/// The oracle: recomputes a read from the raw events with the words of docs/semantics.md and nothing clever. It shares no code with the
/// engine but the definitions and the time grid.
/// </summary>
internal sealed class NaiveView(ViewDefinition view)
{
    private readonly long latenessUs = TimeGrid.ToMicros(view.AllowedLateness);

    /// <summary>Outputs in feature order (last_k gives k of them), for an entity whose events these are, in offset order.</summary>
    public List<object?> Read(IReadOnlyList<NaiveEvent> events, long asOfUs, long watermarkUs)
    {
        var kept = new List<NaiveEvent>();
        long? newest = null;
        foreach (var e in events)
        {
            if (newest is { } m && IsForgotten(m, e.WatermarkUs))
            {
                kept.Clear();
                newest = null;
            }

            kept.Add(e);
            newest = Math.Max(newest ?? long.MinValue, e.EventTimeUs);
        }

        if (newest is { } last && IsForgotten(last, watermarkUs))
        {
            kept.Clear();
            newest = null;
        }

        var timeUs = newest is null ? asOfUs : Math.Max(asOfUs, newest.Value - latenessUs);
        return [.. view.Features.SelectMany(f => Value(f, kept, timeUs))];
    }

    /// <summary>Late for every level: no window of the view could still read it.</summary>
    public bool IsLate(IReadOnlyList<NaiveEvent> before, NaiveEvent e)
    {
        long? newest = null;
        foreach (var b in before.Append(e))
        {
            if (newest is { } m && IsForgotten(m, b.WatermarkUs))
                newest = null;
            newest = Math.Max(newest ?? long.MinValue, b.EventTimeUs);
        }

        return view.Features.Select(HopAndLongest).All(l => l.HopUs != 0 && TimeGrid.Floor(e.EventTimeUs, l.HopUs) < TimeGrid.Floor(newest!.Value - latenessUs - l.LongestUs, l.HopUs));
    }

    private bool IsForgotten(long newestUs, long watermarkUs)
    {
        if (watermarkUs == long.MinValue)
            return false;
        if (view.Features.Any(f => f.Window is LifetimeWindow))
            return view.IdleLimit is { } idle && watermarkUs > newestUs + TimeGrid.ToMicros(idle);
        var longest = view.Features.Max(f => Length(f.Window));
        var hop = view.Features.Where(f => Length(f.Window) == longest).Select(HopUs).First();
        return watermarkUs > newestUs + latenessUs + longest + hop;
    }

    private static long Length(WindowDefinition window) => TimeGrid.ToMicros(((TrailingWindow)window).Length);

    private long HopUs(FeatureDefinition feature) => feature.Window is LifetimeWindow ? 0
        : view.Hop is { } hop ? TimeGrid.ToMicros(hop) : TimeGrid.DefaultHopUs(Length(feature.Window));

    private (long HopUs, long LongestUs) HopAndLongest(FeatureDefinition feature)
    {
        var hop = HopUs(feature);
        return hop == 0 ? (0, 0) : (hop, view.Features.Where(f => HopUs(f) == hop).Max(f => Length(f.Window)));
    }

    /// <summary>The window's events, tile by tile in time order, those of a tile in offset order. Events that came too late for the hop are not there.</summary>
    private List<List<NaiveEvent>> Tiles(FeatureDefinition feature, IReadOnlyList<NaiveEvent> events, long timeUs)
    {
        var (hop, longest) = HopAndLongest(feature);
        if (hop == 0)
            return events.Count == 0 ? [] : [[.. events]];
        var length = Length(feature.Window);
        var accepted = new List<NaiveEvent>();
        var newest = long.MinValue;
        foreach (var e in events)
        {
            newest = Math.Max(newest, e.EventTimeUs);
            if (TimeGrid.Floor(e.EventTimeUs, hop) >= TimeGrid.Floor(newest - latenessUs - longest, hop))
                accepted.Add(e);
        }

        return [.. accepted
            .Select(e => (Start: TimeGrid.Floor(e.EventTimeUs, hop), Event: e))
            .Where(p => TimeGrid.Floor(timeUs - length, hop) <= p.Start && p.Start <= TimeGrid.Floor(timeUs, hop))
            .GroupBy(p => p.Start).OrderBy(g => g.Key).Select(g => g.Select(p => p.Event).ToList())];
    }

    private IEnumerable<object?> Value(FeatureDefinition feature, IReadOnlyList<NaiveEvent> events, long timeUs)
    {
        var column = feature.Aggregation.Column;
        var tiles = Tiles(feature, events, timeUs);
        var present = tiles.Select(t => t.Where(e => column is null || IsPresent(e.Values[column])).ToList()).Where(t => t.Count > 0).ToList();
        var all = present.SelectMany(t => t).ToList();
        var ordered = all.OrderBy(e => e.EventTimeUs).ThenBy(e => e.Offset).ToList();
        object? Of(NaiveEvent e) => Normal(e.Values[column!]);
        switch (feature.Aggregation.Function)
        {
            case AggregationNames.Count:
                return [(long)all.Count];
            case AggregationNames.Sum:
                return [all.Count == 0 ? null : Sum(present, column!)];
            case AggregationNames.Mean:
                return [all.Count == 0 ? null : Sum(present, column!) / all.Count];
            case AggregationNames.Min:
                return [all.Count == 0 ? null : all.Select(Of).Min(Comparer<object?>.Create(Compare))];
            case AggregationNames.Max:
                return [all.Count == 0 ? null : all.Select(Of).Max(Comparer<object?>.Create(Compare))];
            case AggregationNames.First:
                return [ordered.Count == 0 ? null : Of(ordered[0])];
            case AggregationNames.Last:
                return [ordered.Count == 0 ? null : Of(ordered[^1])];
            case AggregationNames.LastK:
                return Enumerable.Range(0, feature.Aggregation.Parameter!.Value).Select(i => i < ordered.Count ? Of(ordered[^(i + 1)]) : null).ToList();
            case AggregationNames.CountDistinct:
                return [(long)Math.Min(feature.Aggregation.Parameter ?? 1000, all.Select(Of).Distinct().Count())];
            case AggregationNames.TimeSinceLast:
                return [ordered.Count == 0 ? null : Math.Max(0, timeUs - ordered[^1].EventTimeUs) / 1e6];
            default:
                return [Spread(feature.Aggregation.Function, present, column!)];
        }
    }

    private static bool IsPresent(object? value) => value is not null and not double.NaN;

    private static object? Normal(object? value) => value is double and 0.0 ? 0.0 : value;

    private static double Number(object? value) => value switch
    {
        double d => d,
        long n => n,
        bool b => b ? 1 : 0,
        _ => throw new InvalidOperationException($"not a number: {value}"),
    };

    private static int Compare(object? a, object? b) => (a, b) switch
    {
        (string x, string y) => System.Text.Encoding.UTF8.GetBytes(x).AsSpan().SequenceCompareTo(System.Text.Encoding.UTF8.GetBytes(y)),
        _ => Comparer<object?>.Default.Compare(a, b),
    };

    private static double Sum(List<List<NaiveEvent>> tiles, string column) =>
        tiles.Select(t => t.Aggregate(0.0, (sum, e) => sum + Number(e.Values[column]))).Aggregate(0.0, (a, b) => a + b);

    private static double? Spread(string function, List<List<NaiveEvent>> tiles, string column)
    {
        var total = (N: 0L, Mean: 0.0, M2: 0.0);
        foreach (var tile in tiles)
            total = Chan(total, tile.Aggregate((N: 0L, Mean: 0.0, M2: 0.0), (s, e) => Chan(s, (1, Number(e.Values[column]), 0))));
        var sample = function is AggregationNames.VarianceSample or AggregationNames.StddevSample;
        if (total.N < (sample ? 2 : 1))
            return null;
        var variance = total.M2 / (sample ? total.N - 1 : total.N);
        return function is AggregationNames.StddevSample or AggregationNames.StddevPopulation ? Math.Sqrt(variance) : variance;
    }

    private static (long N, double Mean, double M2) Chan((long N, double Mean, double M2) a, (long N, double Mean, double M2) b)
    {
        if (a.N == 0)
            return b;
        var n = a.N + b.N;
        var delta = b.Mean - a.Mean;
        var share = (double)b.N / n;
        return (n, a.Mean + (delta * share), a.M2 + (b.M2 + (delta * delta * a.N * share)));
    }
}
