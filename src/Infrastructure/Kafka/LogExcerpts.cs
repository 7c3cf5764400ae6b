using Confluent.Kafka;
using StreamMl.Shared.Log;

namespace StreamMl.Infrastructure.Kafka;

/// <summary>Reads a few records from the middle or the end of a partition, each time by a client of its own. Thread-safe.</summary>
public sealed class LogExcerpts(KafkaEndpoint endpoint)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Wait = TimeSpan.FromMilliseconds(100);

    /// <summary>Clients at a time, each with threads and connections of its own.</summary>
    private static readonly SemaphoreSlim Turns = new(4);

    /// <summary>The records from an offset on, up to another or to where the partition ends for such a reader, whichever comes first.</summary>
    /// <param name="partition">Of which partition.</param>
    /// <param name="from">The first offset wanted; earlier than the log's first it begins there.</param>
    /// <param name="end">The first offset that is not wanted.</param>
    /// <param name="isolation">Whether records of transactions that were aborted, or are open, are seen.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    /// <exception cref="KafkaException">The broker refuses it, or did not answer within 30 s.</exception>
    public async Task<IReadOnlyList<ConsumeResult<byte[], byte[]>>> ReadAsync(PartitionId partition, long from, long end, IsolationLevel isolation, CancellationToken cancellationToken)
    {
        await Turns.WaitAsync(cancellationToken);
        try
        {
            return await Task.Factory.StartNew(() => Read(partition, from, end, isolation, cancellationToken), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        }
        finally
        {
            Turns.Release();
        }
    }

    private List<ConsumeResult<byte[], byte[]>> Read(PartitionId partition, long from, long end, IsolationLevel isolation, CancellationToken cancellationToken)
    {
        var settings = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["isolation.level"] = isolation == IsolationLevel.ReadCommitted ? "read_committed" : "read_uncommitted",
            // Records that were deleted are not there to be read: that is for the caller to see.
            ["auto.offset.reset"] = "earliest",
        };
        using var client = new KafkaConsumerFactory(endpoint).CreateClient(new RecordSourceOptions { ClientSettings = settings });
        client.Assign(new TopicPartitionOffset(partition.Topic, partition.Partition, from));
        var records = new List<ConsumeResult<byte[], byte[]>>();
        var since = TimeProvider.System.GetTimestamp();
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (client.Consume(Wait) is { } result)
            {
                if (result.IsPartitionEOF || result.Offset.Value >= end)
                    return records;
                records.Add(result);
                if (result.Offset.Value + 1 >= end)
                    return records;
            }
            else if (TimeProvider.System.GetElapsedTime(since) > Patience)
            {
                throw new KafkaException(new Error(ErrorCode.Local_TimedOut, $"{partition} could not be read from offset {from} within {Patience.TotalSeconds:F0} s; is its broker up?"));
            }
        }
    }
}
