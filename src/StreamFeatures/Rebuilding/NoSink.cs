using StreamMl.Shared.Log;
using StreamMl.StreamFeatures.Outgoing;

namespace StreamMl.StreamFeatures.Rebuilding;

/// <summary>For views beside a worker that owns the logs: they send nothing.</summary>
internal sealed class NoSink : IRecordSink
{
    public static readonly NoSink Instance = new();

    public int PartitionCount(string topic) => throw Wrong(topic);

    public ValueTask SendAsync(
        PartitionId target, byte[]? key, byte[] value, long timestampUs, IReadOnlyList<OutgoingHeader> headers, Deliveries deliveries, CancellationToken cancellationToken) => throw Wrong(target.Topic);

    private static InvalidOperationException Wrong(string topic) => new($"views that are built beside a worker send nothing, and something was to go to {topic}");
}
