using System.Text;
using StreamMl.Infrastructure.Kafka;
using StreamMl.Integration.Tests.Chaos.Flow;
using StreamMl.Shared.Log;

namespace StreamMl.Integration.Tests.Chaos.Verdict;

/// <summary>What is in the source log in the end.</summary>
/// <param name="Records">All of them.</param>
/// <param name="Different">Different events of the stream. Fewer than records: an idempotent producer may write a batch twice when its broker is killed (confluentinc/librdkafka#4953).</param>
/// <param name="Bad">Records that belong into the dead-letter topic.</param>
internal readonly record struct SourceLog(long Records, long Different, long Bad);

/// <summary>The logs of the run, read anew from their beginnings by a client of their own. Not thread-safe.</summary>
internal sealed class ChaosLogs(ChaosOptions options, KafkaEndpoint kafka, Func<PartitionId, long> endOf)
{
    private static readonly byte[] SourcePartition = "source-partition"u8.ToArray();
    private static readonly byte[] SourceOffset = "source-offset"u8.ToArray();

    /// <summary>The source topic beside the stream that was sent: an event's arrival tells which one it is.</summary>
    public SourceLog Source(PurchaseStream stream)
    {
        var seen = new HashSet<int>();
        var (records, bad) = (0L, 0L);
        Read(ChaosCatalog.Topic, (batch, row) =>
        {
            var index = stream.IndexOf(batch.Records[row].TimestampUs);
            seen.Add(index);
            records++;
            bad += stream[index].IsBad ? 1 : 0;
        });
        return new(records, seen.Count, bad);
    }

    /// <summary>Records of the source topic's dead-letter topic, and of how many different records of the log they tell: a crash before a commit sends some again.</summary>
    public (long Sent, long Different) DeadLetters()
    {
        var different = new HashSet<(string, string)>();
        var sent = 0L;
        Read(LogNames.DeadLetterTopic(ChaosCatalog.Topic), (batch, row) =>
        {
            sent++;
            different.Add((Header(batch, row, SourcePartition), Header(batch, row, SourceOffset)));
        });
        return (sent, different.Count);
    }

    private void Read(string topic, Action<RawRecordBatch, int> take)
    {
        using var source = new KafkaConsumerFactory(kafka).CreateManagedSource();
        using var batch = new RawRecordBatch();
        var left = Enumerable.Range(0, options.Partitions).Select(p => new PartitionId(topic, p)).ToDictionary(p => p, endOf);
        source.Assign([.. left.Keys.Select(p => new PartitionStart(p, PartitionStart.Beginning))]);
        while (left.Values.Any(end => end > 0))
        {
            source.TryReadBatch(batch, TimeSpan.FromMilliseconds(100));
            foreach (var run in batch.Runs)
            {
                for (var row = run.First; row < run.First + run.Count; row++)
                {
                    take(batch, row);
                    if (batch.Records[row].Offset + 1 >= left[run.Partition])
                        left[run.Partition] = 0;
                }
            }

            foreach (var end in batch.Ends.Where(e => e.Offset >= left[e.Partition]))
                left[end.Partition] = 0;
        }
    }

    private static string Header(RawRecordBatch batch, int row, byte[] name) => batch.TryGetHeader(row, name, out var value) ? Encoding.ASCII.GetString(value) : "";
}
