using StreamMl.Infrastructure.Avro;
using StreamMl.Shared.Definitions;
using StreamMl.Shared.Log;
using StreamMl.StreamFeatures;
using StreamMl.StreamFeatures.Logs;
using StreamMl.StreamFeatures.Tests.Lab;

namespace StreamMl.Simulation.Tests;

/// <summary>What all worlds share because it never changes: views by the topic's key and by another, one of them filtered.</summary>
internal static class SimCatalog
{
    private static readonly Catalog Catalog = TestCatalog.With("aircraft_landed", "origin_landed", "origin_late");
    private static readonly Dictionary<string, EventDecoderSet> Decoders;

    static SimCatalog()
    {
        Plans = LogPlan.Of(Catalog);
        Decoders = Plans.ToDictionary(p => p.Topic, p => new EventDecoderSet(p.Source, p.BatchSchema, (_, _) => ValueTask.FromResult(TestCatalog.Avro)));
        foreach (var decoders in Decoders.Values)
            decoders.PrepareAsync(Landing.SchemaId).AsTask().GetAwaiter().GetResult();
    }

    public static IReadOnlyList<LogPlan> Plans { get; }

    public static StreamMetrics Metrics { get; } = new();

    public static string SourceTopic => TestCatalog.Topic;

    public static LogPlan PlanOf(PartitionId partition) => Plans.First(p => p.Topic == partition.Topic);

    public static EventDecoderSet DecodersOf(LogPlan plan) => Decoders[plan.Topic];

    public static IEnumerable<PartitionId> PartitionsOf(int partitions) => Plans.SelectMany(p => Enumerable.Range(0, partitions).Select(i => new PartitionId(p.Topic, i)));
}
