using StreamMl.OnlineScorer.Reading;
using StreamMl.Shared.Definitions;
using StreamMl.Shared.Log;

namespace StreamMl.OnlineScorer.Triggers;

/// <summary>
/// Takes what was served to trigger events: the log of served vectors, the scorer's predictions. Called by one thread. An event has
/// one identity, its position in the trigger topic; after a crash events may come again with the same identity and newer values, and
/// each sink says how far it is itself (<see cref="Assigned"/>), so that it gets none twice.
/// </summary>
public interface ITriggerSink : IAsyncDisposable
{
    /// <summary>Part of the store key of the sink's position: letters, digits and '_'.</summary>
    string Name { get; }

    /// <summary>
    /// A partition is served from now on. <paramref name="nextOffset"/> is where the sink's own position stands in the store; the sink answers where it
    /// really goes on: later, where it made more durable than was noted.
    /// </summary>
    long Assigned(PartitionId partition, long nextOffset) => nextOffset;

    /// <summary>Takes the requests of these indexes, in order. The batch is reused: copy what is kept.</summary>
    Task WriteAsync(ServedBatch batch, IReadOnlyList<int> requests, CancellationToken cancellationToken);

    /// <summary>All that was written is durable when this returns.</summary>
    Task FlushAsync(CancellationToken cancellationToken);
}

/// <summary>Makes the sinks of a service. Registered any number of times; each is asked once per service that is served.</summary>
public interface ITriggerSinkFactory
{
    /// <summary>Null: this service has no such sink.</summary>
    ITriggerSink? Create(ServedService service);

    /// <summary>The fields of the trigger that the sink reads, beside the keys.</summary>
    IEnumerable<string> TriggerFields(SourceDefinition trigger) => [];
}
