using StreamMl.Shared.Log;

namespace StreamMl.Infrastructure.Kafka;

/// <summary>Whether a broker lets readers into a group by the protocol that is asked for: asked before work that would be in vain.</summary>
public static class GroupProbe
{
    private static readonly TimeSpan PollWait = TimeSpan.FromMilliseconds(20);

    /// <summary>
    /// Joins the group and leaves it again. A broker that says neither yes nor no within <paramref name="patience"/> (it is away, or the group has more members than
    /// partitions) counts as willing: joining in earnest shows it.
    /// </summary>
    /// <exception cref="Confluent.Kafka.KafkaException">It does not.</exception>
    public static Task RequireAsync(
        KafkaEndpoint endpoint, RecordSourceOptions options, IReadOnlyList<string> topics, TimeSpan patience, TimeProvider time, CancellationToken cancellationToken) =>
        Task.Factory.StartNew(() => Join(endpoint, options, topics, patience, time, cancellationToken), cancellationToken, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    private static void Join(KafkaEndpoint endpoint, RecordSourceOptions options, IReadOnlyList<string> topics, TimeSpan patience, TimeProvider time, CancellationToken cancellationToken)
    {
        using var source = new KafkaConsumerFactory(endpoint).CreateSource(options);
        using var batch = new RawRecordBatch();
        var joined = new Joined();
        var started = time.GetTimestamp();
        source.Subscribe(topics, joined);
        while (!joined.IsTrue && time.GetElapsedTime(started) < patience)
        {
            cancellationToken.ThrowIfCancellationRequested();
            source.TryReadBatch(batch, PollWait);
        }
    }

    private sealed class Joined : IAssignmentHandler
    {
        public bool IsTrue { get; private set; }

        public IReadOnlyList<PartitionStart> Assigned(IReadOnlyList<PartitionId> partitions)
        {
            IsTrue = true;
            return [.. partitions.Select(p => new PartitionStart(p, PartitionStart.End))];
        }

        public void Revoked(IReadOnlyList<PartitionId> partitions)
        {
        }
    }
}
