using Confluent.Kafka;

namespace StreamMl.Infrastructure.Kafka;

/// <summary>
/// Asks a partition's leader for its first offset and the one after its last, and asks again where it has none for the moment: a
/// topic that was just made, a broker that just came back or went, is known to some brokers before others. Thread-safe.
/// </summary>
public static class PartitionEnds
{
    private static readonly TimeSpan AskAgain = TimeSpan.FromMilliseconds(50);

    /// <summary>
    /// For a client that lives on between its questions: it asks whom it takes for the leader, whatever that one answers, for as long as it keeps what it
    /// learned of the topic, which is 15 minutes unless this is set.
    /// </summary>
    public static KeyValuePair<string, string> ForgetLeaders { get; } = new("metadata.max.age.ms", "1000");

    /// <summary>Blocks its thread until the leader answers, or for as long as <paramref name="patience"/>; see <see cref="ForgetLeaders"/>.</summary>
    /// <exception cref="KafkaException">The topic is not there, or no leader answered in that time.</exception>
    public static WatermarkOffsets Ask(IConsumer<byte[], byte[]> client, TopicPartition partition, TimeSpan patience, CancellationToken cancellationToken = default) =>
        Ask(left => client.QueryWatermarkOffsets(partition, left), patience, TimeProvider.System, cancellationToken);

    internal static WatermarkOffsets Ask(Func<TimeSpan, WatermarkOffsets> ask, TimeSpan patience, TimeProvider time, CancellationToken cancellationToken)
    {
        long start = time.GetTimestamp();
        for (var left = patience; ; left = patience - time.GetElapsedTime(start))
        {
            try
            {
                return ask(left > AskAgain ? left : AskAgain);
            }
            catch (KafkaException e) when (IsWithoutLeader(e.Error.Code) && time.GetElapsedTime(start) < patience)
            {
                cancellationToken.WaitHandle.WaitOne(AskAgain);
                cancellationToken.ThrowIfCancellationRequested();
            }
        }
    }

    internal static bool IsWithoutLeader(ErrorCode code) =>
        code is ErrorCode.NotLeaderForPartition or ErrorCode.LeaderNotAvailable or ErrorCode.ReplicaNotAvailable or ErrorCode.FencedLeaderEpoch or ErrorCode.UnknownLeaderEpoch or ErrorCode.OffsetNotAvailable;
}
