using Confluent.Kafka;
using StreamMl.Shared.Log;

namespace StreamMl.Infrastructure.Kafka;

/// <summary>Sends by a <see cref="RecordProducer"/>, which respects an embedded Kafka's budget.</summary>
internal sealed class BudgetedSender(RecordProducer producer) : IRecordSender
{
    public ValueTask SendAsync(
        PartitionId target, ReadOnlyMemory<byte>? key, ReadOnlyMemory<byte> value, long timestampUs, IReadOnlyList<KeyValuePair<string, byte[]>>? headers, CancellationToken cancellationToken) =>
        producer.SendAsync(target, key?.ToArray(), value.ToArray(), timestampUs, HeadersOf(headers), cancellationToken);

    public Task FlushAsync(CancellationToken cancellationToken) => producer.FlushAsync(cancellationToken);

    public ValueTask DisposeAsync() => producer.DisposeAsync();

    private static Headers? HeadersOf(IReadOnlyList<KeyValuePair<string, byte[]>>? headers)
    {
        if (headers is null) return null;
        var all = new Headers();
        foreach (var (name, value) in headers) all.Add(name, value);
        return all;
    }
}
