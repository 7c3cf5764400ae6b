using StreamMl.Shared.Definitions;
using StreamMl.Shared.Log;

namespace StreamMl.FeatureEngine.Planning;

/// <summary>What the states of so many entities take of the store's memory.</summary>
/// <param name="Entities">How many of each entity there are.</param>
/// <param name="BytesTypical">With states of <see cref="ViewPlan.BytesTypical"/>, keys and Redis' own bytes for each included.</param>
/// <param name="BytesWorst">The same with <see cref="ViewPlan.BytesWorst"/>.</param>
/// <param name="Memory">What the store has; null where it was not asked.</param>
public sealed record StorePlan(IReadOnlyDictionary<string, long> Entities, long BytesTypical, long BytesWorst, StoreMemory? Memory)
{
    /// <summary>An entry of the table, two headers and an object: measured as used_memory of 100,000 to 200,000 keys less what their classes below explain (Redis 7, jemalloc).</summary>
    private const int BytesPerKey = 70;

    private const int BytesPerValue = 16;

    /// <summary>More is said as this.</summary>
    private const double MaxBytes = 1e18;

    /// <param name="views">Every view of the catalogue.</param>
    /// <param name="options">How many entities there are, and how long a key is.</param>
    /// <param name="memory">What the store has.</param>
    /// <exception cref="ArgumentException">An entity's count is not known, or one is named that no view has.</exception>
    public static StorePlan Of(IReadOnlyList<ViewPlan> views, PlanOptions options, StoreMemory? memory)
    {
        var names = views.Select(v => v.Entity).Distinct(StringComparer.Ordinal).ToList();
        if (options.Entities.Keys.FirstOrDefault(e => !names.Contains(e, StringComparer.Ordinal)) is { } unknown)
            throw new ArgumentException($"'{unknown}' is no entity of a view: there are {string.Join(", ", names)}");
        if (names.Where(n => !options.Entities.ContainsKey(n)).ToList() is { Count: > 0 } missing && options.OtherEntities is null)
            throw new ArgumentException($"how many there are of {string.Join(", ", missing)} is not said: name each, as {missing[0]}=1000, or one number for all that are not named");
        var counts = names.ToDictionary(n => n, n => options.Entities.GetValueOrDefault(n, options.OtherEntities ?? 0), StringComparer.Ordinal);
        long Sum(Func<ViewPlan, long> bytes) => (long)Math.Min(views.Sum(v => (double)counts[v.Entity] * Allocated(v, bytes(v), options.TextBytes)), MaxBytes);
        return new StorePlan(counts, Sum(v => v.BytesTypical), Sum(v => v.BytesWorst), memory);
    }

    /// <summary>What is wrong with it: an error where typical states do not fit, a warning where the largest do not.</summary>
    public Diagnostic? Finding()
    {
        if (Memory is null || BytesWorst <= Memory.Limit)
            return null;
        var has = $"the store has {Memory}";
        return BytesTypical > Memory.Limit
            ? new Diagnostic(Severity.Error, null, $"the states of these entities need about {PlanText.Bytes(BytesTypical)} and {has}: commits would stop when it is full", $"Give it more (at most it needs {PlanText.Bytes(BytesWorst)}), or keep fewer or shorter windows")
            : new Diagnostic(Severity.Warning, null, $"the states of these entities may need {PlanText.Bytes(BytesWorst)} and {has}: commits stop when it is full", $"Typical states fit ({PlanText.Bytes(BytesTypical)}); give it more where events come more often than --event-gap says");
    }

    private static long Allocated(ViewPlan view, long bytes, int keyBytes) =>
        BytesPerKey + LogNames.StatePrefix(new PartitionId(view.Log, 0), view.Name, view.Hash8).Length + keyBytes + SizeClass(bytes + BytesPerValue);

    /// <summary>jemalloc's: multiples of 16 up to 128, then four to each doubling.</summary>
    private static long SizeClass(long bytes)
    {
        var step = bytes <= 128 ? 16 : 1L << (63 - System.Numerics.BitOperations.LeadingZeroCount((ulong)(bytes - 1)) - 2);
        return (bytes + step - 1) / step * step;
    }
}
