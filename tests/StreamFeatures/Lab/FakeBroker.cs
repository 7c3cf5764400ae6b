using System.Text;
using StreamMl.Infrastructure.Kafka;
using StreamMl.Shared.Log;
using StreamMl.StreamFeatures.Outgoing;

namespace StreamMl.StreamFeatures.Tests.Lab;

internal sealed record FakeRecord(long Offset, long TimestampUs, byte[]? Key, byte[]? Value, IReadOnlyList<OutgoingHeader> Headers)
{
    public string Header(string name) => Encoding.UTF8.GetString(Headers.Last(h => h.Name == name).Value);
}

/// <summary>Topics in memory; delivers at once. Thread-safe.</summary>
internal sealed class FakeBroker(int partitions) : IRecordSink
{
    private readonly Lock gate = new();
    private readonly Dictionary<PartitionId, List<FakeRecord>> logs = [];

    /// <summary>Asked before each record of the worker; an exception makes its delivery fail.</summary>
    public Func<PartitionId, Exception?> Fault { get; set; } = _ => null;

    /// <summary>Offsets without records behind the last record of every log, as a transaction's markers take them.</summary>
    public int Markers { get; set; }

    /// <summary>Raised with each record.</summary>
    public SemaphoreSlim Appended { get; } = new(0);

    public int PartitionCount(string topic) => partitions;

    public IReadOnlyList<FakeRecord> Log(PartitionId partition)
    {
        lock (gate)
            return [.. logs.GetValueOrDefault(partition) ?? []];
    }

    public IReadOnlyList<FakeRecord> Log(string topic) => [.. Enumerable.Range(0, partitions).SelectMany(p => Log(new PartitionId(topic, p)))];

    /// <summary>Where a reader of the whole partition stands.</summary>
    public long End(PartitionId partition) => Log(partition).Count + Markers;

    /// <summary>The first record at or after the offset.</summary>
    public FakeRecord? At(PartitionId partition, long offset)
    {
        lock (gate)
        {
            if (!logs.TryGetValue(partition, out var log) || log.Count == 0 || offset > log[^1].Offset)
                return null;
            var (low, high) = (0, log.Count - 1);
            while (low < high)
            {
                var middle = (low + high) / 2;
                (low, high) = log[middle].Offset < offset ? (middle + 1, high) : (low, middle);
            }

            return log[low];
        }
    }

    /// <param name="target">Where to.</param>
    /// <param name="timestampUs">The record's timestamp.</param>
    /// <param name="key">Its key, or null.</param>
    /// <param name="value">Its value, or null.</param>
    /// <param name="headers">Its headers.</param>
    /// <param name="offset">Leaves a gap before it; null: none.</param>
    public long Append(PartitionId target, long timestampUs, byte[]? key, byte[]? value, IReadOnlyList<OutgoingHeader> headers, long? offset = null)
    {
        lock (gate)
        {
            if (!logs.TryGetValue(target, out var log))
                logs.Add(target, log = []);
            log.Add(new FakeRecord(offset ?? (log.Count == 0 ? 0 : log[^1].Offset + 1), timestampUs, key, value, headers));
            Appended.Release();
            return log[^1].Offset;
        }
    }

    public ValueTask SendAsync(
        PartitionId target, byte[]? key, byte[] value, long timestampUs, IReadOnlyList<OutgoingHeader> headers, Deliveries deliveries, CancellationToken cancellationToken)
    {
        deliveries.Sending();
        if (Fault(target) is { } error)
            deliveries.Failed(error);
        else
            deliveries.Delivered(target, Append(target, timestampUs, key, value, headers));
        return ValueTask.CompletedTask;
    }

    /// <summary>Fills the batch with up to <paramref name="count"/> records from <paramref name="offset"/> on.</summary>
    public void Read(PartitionId partition, long offset, int count, RawRecordBatch into)
    {
        for (; count > 0 && At(partition, offset) is { } record; count--, offset = record.Offset + 1)
        {
            into.Append(partition, record.Offset, record.TimestampUs, record.Key, record.Key is not null, record.Value, record.Value is not null);
            foreach (var header in record.Headers)
                into.AppendHeader(Encoding.ASCII.GetBytes(header.Name), header.Value);
        }
    }
}
