using StreamMl.Infrastructure.Kafka;
using StreamMl.OnlineScorer.Reading;
using StreamMl.Shared.Events;
using StreamMl.Shared.Log;

namespace StreamMl.OnlineScorer.Triggers;

/// <summary>The event behind a request: its identity, its times, its row in <see cref="ServedBatch.Events"/>, and which record it was.</summary>
public readonly record struct TriggerEvent(PartitionId Partition, long Offset, long EventTimeUs, long ArrivalTimeUs, int Row, int Record = -1);

/// <summary>Trigger events with the features that they were served. Reused; not thread-safe.</summary>
public sealed class ServedBatch(ServedService service, EventSchema schema)
{
    private readonly List<TriggerEvent> triggers = [];

    public ServedService Service => Read.Service;

    /// <summary>The answers, one request per trigger event, in the same order.</summary>
    public ReadBatch Read { get; } = new(service);

    /// <summary>The trigger events' fields that were decoded; see <see cref="TriggerEvent.Row"/>.</summary>
    public EventBatch Events { get; } = new(schema, 512);

    public IReadOnlyList<TriggerEvent> Triggers => triggers;

    public int Count => triggers.Count;

    /// <summary>False: the views had not come as far as the batch when the wait ended, and the values may lack events that they should have.</summary>
    public bool IsCaughtUp { get; internal set; }

    /// <summary>The records as they were read; kept by whoever fills the batch.</summary>
    internal RawRecordBatch? Records { get; init; }

    /// <summary>The event's key as it was read, or null.</summary>
    public byte[]? Key(int request) => Records is { } records && records.Records[triggers[request].Record].HasKey ? records.Key(triggers[request].Record).ToArray() : null;

    /// <summary>The same without a copy, good until the next batch is read.</summary>
    public ReadOnlyMemory<byte>? KeyMemory(int request) => Records?.KeyMemory(triggers[request].Record);

    /// <summary>The event's bytes as they were read.</summary>
    public byte[] Value(int request) => Records is { } records ? records.Value(triggers[request].Record).ToArray() : [];

    internal int Add(in TriggerEvent trigger)
    {
        triggers.Add(trigger);
        return Read.Add(trigger.EventTimeUs);
    }

    internal void Clear()
    {
        triggers.Clear();
        Read.Clear();
        Events.Clear();
    }
}
