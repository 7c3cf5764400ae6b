using StreamMl.Infrastructure.Avro;
using StreamMl.Shared.Log;
using StreamMl.StreamFeatures;
using StreamMl.StreamFeatures.Logs;
using StreamMl.StreamFeatures.Tests.Lab;

namespace StreamMl.Simulation.Tests;

/// <summary>
/// A catalogue of some views: one by the topic's key, or none, so that its source's records are only copied; one or two by another key, of which one is filtered.
/// Shared by all worlds. Immutable; thread-safe.
/// </summary>
internal sealed class SimCatalog
{
    private const string ByTail = "aircraft_landed";
    private const string ByOrigin = "origin_landed";
    private const string LateByOrigin = "origin_late";

    // Every one has a view by origin: a source that begins to copy its records only later leaves out those before, which is not at issue here.
    private static readonly SimCatalog Full = new(ByTail, ByOrigin, LateByOrigin);
    private static readonly SimCatalog CopyOnly = new(ByOrigin, LateByOrigin);
    private static readonly (SimCatalog First, SimCatalog Last)[] Growing =
    [
        (CopyOnly, Full), (new(ByTail, ByOrigin), Full), (new(ByTail, LateByOrigin), Full), (new(ByOrigin), Full), (new(LateByOrigin), CopyOnly),
    ];

    private readonly Dictionary<string, EventDecoderSet> decoders;

    private SimCatalog(params string[] views)
    {
        Plans = LogPlan.Of(TestCatalog.With(views));
        decoders = Plans.ToDictionary(p => p.Topic, p => new EventDecoderSet(p.Source, p.BatchSchema, (_, _) => ValueTask.FromResult(TestCatalog.Avro)));
        foreach (var set in decoders.Values)
            set.PrepareAsync(Landing.SchemaId).AsTask().GetAwaiter().GetResult();
    }

    public static StreamMetrics Metrics { get; } = new();

    public static string SourceTopic => TestCatalog.Topic;

    public IReadOnlyList<LogPlan> Plans { get; }

    /// <summary>The catalogue that a world begins with and the one that it ends with: the same, or one that views were added to.</summary>
    public static (SimCatalog First, SimCatalog Last) Choose(Random random) => random.Next(10) switch
    {
        < 4 => (Full, Full),
        < 6 => (CopyOnly, CopyOnly),
        _ => Growing[random.Next(Growing.Length)],
    };

    public LogPlan PlanOf(PartitionId partition) => Plans.First(p => p.Topic == partition.Topic);

    public EventDecoderSet DecodersOf(LogPlan plan) => decoders[plan.Topic];

    public IEnumerable<PartitionId> PartitionsOf(int partitions) => Plans.SelectMany(p => Enumerable.Range(0, partitions).Select(i => new PartitionId(p.Topic, i)));
}
