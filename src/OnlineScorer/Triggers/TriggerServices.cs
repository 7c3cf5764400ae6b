using StreamMl.Infrastructure.Kafka;
using StreamMl.OnlineScorer.Reading;
using StreamMl.Shared.Store;

namespace StreamMl.OnlineScorer.Triggers;

/// <summary>What a trigger server works with.</summary>
/// <param name="Store">Positions.</param>
/// <param name="Reader">Features.</param>
/// <param name="SchemaOf">Writer schemas by id.</param>
/// <param name="Ends">How far the sources' topics reach, for alignment.</param>
/// <param name="Budget">The embedded Kafka's bound; null for a real one.</param>
/// <param name="Time">The clock of waits.</param>
/// <param name="Logger">Of all servers.</param>
internal sealed record TriggerServices(
    IStateStore Store, FeatureReader Reader, Func<int, CancellationToken, ValueTask<string>> SchemaOf, ITopicEnds Ends, ByteBudget? Budget, TimeProvider Time, ILogger Logger);
