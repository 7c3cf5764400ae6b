using System.Collections.Concurrent;
using StreamMl.Infrastructure.Kafka;
using StreamMl.Infrastructure.Kafka.Native;
using StreamMl.Shared.Log;

namespace StreamMl.Infrastructure.Embedded;

/// <summary>
/// A Kafka in this process: librdkafka's mock cluster. It speaks the real wire protocol on 127.0.0.1, so kcat and other
/// processes can read and write it too. It holds everything in memory and keeps at most 5 MiB per partition, dropping the
/// oldest without a word: whoever produces to it asks <see cref="Budget"/> first. It has no transactions, no time seeks, no
/// static members and no admin calls: topics are made by <see cref="CreateTopic"/>. Thread-safe.
/// </summary>
public sealed class EmbeddedKafka : IAsyncDisposable
{
    private const int ProducerType = 0;
    private const int HeartbeatMs = 200;
    private static readonly TimeSpan TrimEvery = TimeSpan.FromMilliseconds(100);
    private readonly ConcurrentDictionary<string, int> topics = new(StringComparer.Ordinal);
    private readonly Dictionary<PartitionId, long> starts = [];
    private readonly Lock gate = new();
    private readonly int? kept;
    private readonly ITimer? trimming;
    private IntPtr owner;
    private IntPtr cluster;

    private EmbeddedKafka(IntPtr owner, IntPtr cluster, string bootstrapServers, long budgetBytesPerPartition, int? keptRecords)
    {
        this.owner = owner;
        this.cluster = cluster;
        BootstrapServers = bootstrapServers;
        Budget = new ByteBudget(budgetBytesPerPartition);
        kept = keptRecords;
        if (kept is not null) trimming = TimeProvider.System.CreateTimer(static state => ((EmbeddedKafka)state!).TrimAndGoOn(), this, TrimEvery, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Host and port, as a client's <c>bootstrap.servers</c>.</summary>
    public string BootstrapServers { get; }

    /// <summary>How far producers may run ahead of the declared readers.</summary>
    public ByteBudget Budget { get; }

    /// <summary>Topics that were made here, with their partition counts.</summary>
    public IReadOnlyDictionary<string, int> Topics => topics;

    /// <summary>Starts a one-broker cluster on a free port; takes some milliseconds.</summary>
    /// <param name="budgetBytesPerPartition">The budget of each partition; 64 KB to 3.5 MB, which is also the default.</param>
    /// <param name="keptRecords">
    /// How many records of a partition stay when all declared readers (<see cref="Budget"/>) have them, 0 or more; null (default): as many as fit into 5 MiB. The broker looks through all
    /// that it holds of a partition, batch by batch, for each batch that it gives out: thousands of small batches slow everybody down.
    /// </param>
    public static EmbeddedKafka Start(long budgetBytesPerPartition = ByteBudget.DefaultBytesPerPartition, int? keptRecords = null)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(keptRecords ?? 0, nameof(keptRecords));
        var handle = LibRdKafka.Create(ProducerType, [new("client.id", "streamml-embedded-kafka"), new("log_level", "0")]);
        var mock = LibRdKafka.MockClusterNew(handle, 1);
        if (mock == IntPtr.Zero)
        {
            LibRdKafka.Destroy(handle);
            throw new InvalidOperationException("librdkafka could not start its mock cluster; is 127.0.0.1 available for listening?");
        }

        // The default of 3 s makes every first join of a group wait; one member is the common case here.
        LibRdKafka.MockGroupInitialRebalanceDelayMs(mock, 100);
        // A member hears at its next heartbeat what it must give up or may take: 5 s, the default, made a change of hands last 10.
        LibRdKafka.MockGroupConsumerHeartbeatIntervalMs(mock, HeartbeatMs);
        return new EmbeddedKafka(handle, mock, Bootstraps(mock), budgetBytesPerPartition, keptRecords);
    }

    /// <summary>Makes the topic; one that is there with as many partitions is left as it is.</summary>
    /// <exception cref="InvalidOperationException">It is there with another number of partitions, or the name is refused.</exception>
    public void CreateTopic(string topic, int partitions)
    {
        ArgumentException.ThrowIfNullOrEmpty(topic);
        ArgumentOutOfRangeException.ThrowIfLessThan(partitions, 1);
        lock (gate)
        {
            ObjectDisposedException.ThrowIf(cluster == IntPtr.Zero, this);
            if (topics.TryGetValue(topic, out int existing))
            {
                if (existing == partitions) return;
                throw TopicAdmin.PartitionMismatch(topic, existing, partitions);
            }

            int error = LibRdKafka.MockTopicCreate(cluster, topic, partitions, 1);
            if (error != LibRdKafka.NoError)
            {
                throw new InvalidOperationException(
                    $"The embedded Kafka refused topic '{topic}' with {partitions} partitions: {LibRdKafka.ErrorName(error)}. "
                    + "A client may have made it already by producing to it; create topics before anything writes to them.");
            }

            topics[topic] = partitions;
        }
    }

    /// <summary>Drops what need not stay; it happens ten times a second by itself.</summary>
    internal void Trim()
    {
        // Under the lock, so that the cluster is there until it is done.
        lock (gate)
        {
            foreach (var (topic, partitions) in topics)
            {
                for (int p = 0; p < partitions && cluster != IntPtr.Zero; p++) Trim(new PartitionId(topic, p), kept ?? int.MaxValue);
            }
        }
    }

    /// <summary>Stops the broker; everything in it is gone. Clients that are still connected see a lost broker.</summary>
    public ValueTask DisposeAsync()
    {
        trimming?.Dispose();
        lock (gate)
        {
            if (cluster == IntPtr.Zero) return ValueTask.CompletedTask;
            LibRdKafka.MockClusterDestroy(cluster);
            LibRdKafka.Destroy(owner);
            cluster = owner = IntPtr.Zero;
        }

        return ValueTask.CompletedTask;
    }

    private void TrimAndGoOn()
    {
        Trim();
        trimming?.Change(TrimEvery, Timeout.InfiniteTimeSpan);
    }

    private void Trim(PartitionId partition, int keep)
    {
        long least = Budget.LeastPosition(partition);
        long end = least - keep;

        // Not for every few records: the broker's only thread does it.
        if (least == long.MaxValue || end <= starts.GetValueOrDefault(partition) + (keep / 4)) return;
        if (LibRdKafka.MockPartitionDeleteRecords(cluster, partition.Topic, partition.Partition, end) == LibRdKafka.NoError) starts[partition] = end;
    }

    private static unsafe string Bootstraps(IntPtr mock) => LibRdKafka.Text(LibRdKafka.MockClusterBootstraps(mock));
}
