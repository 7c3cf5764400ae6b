using System.Runtime.InteropServices;
using Confluent.Kafka;
using StreamMl.Shared.Log;

namespace StreamMl.Infrastructure.Kafka.Native;

/// <summary>
/// Reads by librdkafka's batch call: one native call for up to a thousand records, each copied once from librdkafka's buffer into the
/// caller's arena. Nothing is allocated per record.
/// </summary>
internal sealed unsafe class NativeRecordSource : IRecordSource
{
    private const int Chunk = 1024;
    private readonly NativeConsumer consumer;
    private readonly bool readHeaders;
    private readonly NativeMessage** messages;
    private readonly Dictionary<(IntPtr Topic, int Partition), PartitionId> names = [];
    private readonly HashSet<PartitionId> goneInPoll = [];
    private RawRecordBatch? filling;
    private bool disposed;

    public NativeRecordSource(IReadOnlyDictionary<string, string> settings, RecordSourceOptions options)
    {
        readHeaders = options.ReadHeaders;

        // librdkafka may free a topic's handle once nothing is assigned from it: names live as long as an assignment.
        consumer = new NativeConsumer(settings, options.GroupId is not null) { Gone = OnGone, Changed = names.Clear };
        messages = (NativeMessage**)NativeMemory.Alloc(Chunk, (nuint)sizeof(NativeMessage*));
    }

    public IReadOnlyCollection<PartitionId> Assignment => consumer.Assignment;

    public bool TryReadBatch(RawRecordBatch into, TimeSpan wait)
    {
        ObjectDisposedException.ThrowIf(disposed, this);
        into.Clear();
        consumer.ThrowPending();
        filling = into;
        try
        {
            // The native call waits for a full batch: so first what is there, and only if there is nothing, wait for one.
            int count = Poll(into, Room(into), 0);
            if (count == 0 && consumer.Pending is null) count = Poll(into, 1, (int)Math.Ceiling(wait.TotalMilliseconds));
            while (count > 0 && Room(into) > 0 && consumer.Pending is null) count = Poll(into, Room(into), 0);
            AppendKnownEnds(into);
        }
        finally
        {
            filling = null;
        }

        // An error that came behind records is thrown by the next call, so that they are not lost.
        bool any = into.Count > 0 || into.Ends.Count > 0;
        if (!any) consumer.ThrowPending();
        return any;
    }

    public void Assign(IReadOnlyList<PartitionStart> starts) => consumer.Assign(starts);

    public void Subscribe(IReadOnlyList<string> topics, IAssignmentHandler handler) => consumer.Subscribe(topics, handler);

    public void Pause(IReadOnlyCollection<PartitionId> partitions) => consumer.Pause(partitions);

    public void Resume(IReadOnlyCollection<PartitionId> partitions) => consumer.Resume(partitions);

    public void Seek(PartitionId partition, long offset) => consumer.Seek(partition, offset);

    public void CommitForLag(IReadOnlyList<PartitionStart> nextOffsets) => consumer.CommitForLag(nextOffsets);

    public void Dispose()
    {
        if (disposed) return;
        disposed = true;
        NativeMemory.Free(messages);
        consumer.Dispose();
    }

    private static int Room(RawRecordBatch into) => into.Bytes >= into.MaxBytes ? 0 : Math.Min(Chunk, into.MaxRecords - into.Count);

    private int Poll(RawRecordBatch into, int size, int waitMs)
    {
        goneInPoll.Clear();
        int count = (int)LibRdKafka.ConsumeBatchQueue(consumer.Queue, waitMs, messages, (nuint)size);
        int runStart = into.Count;
        IntPtr topic = IntPtr.Zero;
        int partitionNumber = -1;
        PartitionId partition = default;
        bool wanted = false;
        for (int i = 0; i < count; i++)
        {
            var message = messages[i];
            if (message->Topic != topic || message->Partition != partitionNumber)
            {
                into.EndRun(partition, runStart, into.Count - runStart);
                (topic, partitionNumber, runStart) = (message->Topic, message->Partition, into.Count);
                partition = NameOf(topic, partitionNumber);
                wanted = consumer.Assignment.Contains(partition) && !goneInPoll.Contains(partition);
            }

            if (message->Error != LibRdKafka.NoError) OnEvent(into, message, partition, wanted);
            else if (wanted) Copy(into, message);
            LibRdKafka.MessageDestroy(message);
        }

        into.EndRun(partition, runStart, into.Count - runStart);
        if (goneInPoll.Count > 0) RewindReturned();
        return count;
    }

    /// <summary>
    /// The broker tells the end of a partition by an empty answer, which it holds back for a while. The answer that brought the last records
    /// said how many there are, so a reader that has caught up need not wait for the next.
    /// </summary>
    private void AppendKnownEnds(RawRecordBatch into)
    {
        foreach (var run in into.Runs)
        {
            long next = into.Records[run.First + run.Count - 1].Offset + 1;
            if (next == consumer.EndOf(run.Partition) && !into.Ends.Contains(new PartitionEnd(run.Partition, next))) into.AppendEnd(run.Partition, next);
        }
    }

    private void Copy(RawRecordBatch into, NativeMessage* message)
    {
        int keyLength = message->Key == null ? -1 : (int)message->KeyLength;
        int valueLength = message->Value == null ? -1 : (int)message->ValueLength;
        int timestampType;
        long timestampMs = LibRdKafka.MessageTimestampMs(message, &timestampType);
        int row = into.Add(message->Offset, timestampMs * 1000, keyLength, valueLength);
        var bytes = into.BytesFrom(into.Records[row].Start);
        if (keyLength > 0)
        {
            new ReadOnlySpan<byte>(message->Key, keyLength).CopyTo(bytes);
            bytes = bytes[keyLength..];
        }

        if (valueLength > 0) new ReadOnlySpan<byte>(message->Value, valueLength).CopyTo(bytes);
        if (readHeaders) CopyHeaders(into, message);
    }

    private static void CopyHeaders(RawRecordBatch into, NativeMessage* message)
    {
        IntPtr headers;
        if (LibRdKafka.MessageHeaders(message, &headers) != LibRdKafka.NoError) return;
        byte* name;
        byte* value;
        nuint size;
        for (nuint i = 0; LibRdKafka.HeaderGetAll(headers, i, &name, &value, &size) == LibRdKafka.NoError; i++)
        {
            into.AppendHeader(MemoryMarshal.CreateReadOnlySpanFromNullTerminated(name), new ReadOnlySpan<byte>(value, (int)size));
        }
    }

    private void OnEvent(RawRecordBatch into, NativeMessage* message, PartitionId partition, bool wanted)
    {
        string detail = LibRdKafka.Text(message->Value);
        switch (message->Error)
        {
            case LibRdKafka.PartitionEof:
                if (wanted) into.AppendEnd(partition, message->Offset);
                break;
            case LibRdKafka.AutoOffsetReset:
                consumer.Pending ??= new OffsetOutOfRangeException(partition, detail);
                break;
            case LibRdKafka.MaxPollExceeded:
                // The group has put us out; the next poll joins again, and the handler hears what was lost.
                break;
            default:
                consumer.Pending ??= consumer.Fatal() ?? new KafkaException(new Error((ErrorCode)message->Error, detail));
                break;
        }
    }

    private PartitionId NameOf(IntPtr topic, int partition)
    {
        if (topic == IntPtr.Zero) return default;
        if (names.TryGetValue((topic, partition), out var name)) return name;
        return names[(topic, partition)] = new PartitionId(LibRdKafka.Text(LibRdKafka.TopicName(topic)), partition);
    }

    private void OnGone(PartitionId partition)
    {
        goneInPoll.Add(partition);
        filling?.Drop(partition);
    }

    /// <summary>
    /// A partition that went and came back within one poll may have lost records of its new time with those of the old: read it again from
    /// where its handler wanted it.
    /// </summary>
    private void RewindReturned()
    {
        foreach (var partition in goneInPoll)
        {
            if (consumer.StartOf(partition) is { } offset) consumer.Seek(partition, offset);
        }
    }
}
