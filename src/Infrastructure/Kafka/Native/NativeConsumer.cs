using System.Runtime.CompilerServices;
using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;
using Confluent.Kafka;
using StreamMl.Shared.Log;

namespace StreamMl.Infrastructure.Kafka.Native;

/// <summary>
/// A consumer handle of librdkafka with its assignment: subscribe, assign, seek, pause. Its callbacks run inside a poll, on the polling
/// thread; exceptions of handlers must not cross librdkafka's frames, so they wait in <see cref="Pending"/>. Not thread-safe.
/// </summary>
internal sealed unsafe class NativeConsumer : IDisposable
{
    private const int ConsumerType = 1;
    private const int SeekPatienceMs = 10_000;
    private readonly bool hasGroup;
    private readonly HashSet<PartitionId> assignment = [];
    private readonly Dictionary<PartitionId, long> starts = [];
    private readonly GCHandle self;
    private IntPtr handle;
    private IAssignmentHandler? handler;

    public NativeConsumer(IReadOnlyDictionary<string, string> settings, bool hasGroup)
    {
        this.hasGroup = hasGroup;
        self = GCHandle.Alloc(this);
        try
        {
            handle = LibRdKafka.Create(ConsumerType, [.. settings, new("log_level", "0")], SetCallbacks);
        }
        catch
        {
            self.Free();
            throw;
        }

        Check(LibRdKafka.PollSetConsumer(handle), "redirect its events");
        Queue = LibRdKafka.QueueGetConsumer(handle);
    }

    public IntPtr Queue { get; private set; }

    public IReadOnlySet<PartitionId> Assignment => assignment;

    /// <summary>What went wrong inside a callback; taken by <see cref="ThrowPending"/>.</summary>
    public Exception? Pending { get; set; }

    /// <summary>Told when partitions go, before their handler is.</summary>
    public Action<PartitionId>? Gone { get; set; }

    /// <summary>Told when the assignment has changed.</summary>
    public Action? Changed { get; set; }

    /// <summary>Where the handler started this partition when it was last assigned; null where it is not ours.</summary>
    public long? StartOf(PartitionId partition) => assignment.Contains(partition) ? starts.GetValueOrDefault(partition, PartitionStart.Beginning) : null;

    public void ThrowPending()
    {
        if (Pending is not { } e) return;
        Pending = null;
        ExceptionDispatchInfo.Throw(e);
    }

    public void Assign(IReadOnlyList<PartitionStart> wanted)
    {
        using var partitions = NativePartitions.Of(wanted);
        Check(LibRdKafka.Assign(handle, partitions.List), "take its assignment");
        assignment.Clear();
        foreach (var start in wanted) assignment.Add(start.Partition);
        Changed?.Invoke();
    }

    public void Subscribe(IReadOnlyList<string> topics, IAssignmentHandler assignmentHandler)
    {
        if (!hasGroup) throw new InvalidOperationException("A subscription needs a consumer group: set RecordSourceOptions.GroupId, or assign partitions.");
        handler = assignmentHandler;
        using var partitions = NativePartitions.OfTopics(topics);
        Check(LibRdKafka.Subscribe(handle, partitions.List), $"subscribe to {string.Join(", ", topics)}");
    }

    public void Pause(IEnumerable<PartitionId> which)
    {
        using var partitions = NativePartitions.Of(which.Where(assignment.Contains));
        Check(LibRdKafka.PausePartitions(handle, partitions.List), "pause");
    }

    public void Resume(IEnumerable<PartitionId> which)
    {
        using var partitions = NativePartitions.Of(which.Where(assignment.Contains));
        Check(LibRdKafka.ResumePartitions(handle, partitions.List), "resume");
    }

    public void Seek(PartitionId partition, long offset)
    {
        if (!assignment.Contains(partition)) return;
        using var partitions = NativePartitions.Of([new PartitionStart(partition, offset)]);
        Check(LibRdKafka.SeekPartitions(handle, partitions.List, SeekPatienceMs), $"seek {partition} to {offset}");
        Check(partitions.List->Elements[0].Error, $"seek {partition} to {offset}");
    }

    public void CommitForLag(IReadOnlyList<PartitionStart> nextOffsets)
    {
        if (!hasGroup || nextOffsets.Count == 0) return;
        using var partitions = NativePartitions.Of(nextOffsets);

        // Nobody listens to the outcome: the store holds the truth, and the next commit says the same and more.
        _ = LibRdKafka.Commit(handle, partitions.List, async: 1);
    }

    /// <summary>One past the last record that the partition had when it was last fetched from; negative where that is not known.</summary>
    public long EndOf(PartitionId partition)
    {
        long low, high;
        return LibRdKafka.WatermarkOffsets(handle, partition.Topic, partition.Partition, &low, &high) == LibRdKafka.NoError ? high : -1;
    }

    /// <summary>The client's fatal error, if it has one.</summary>
    public KafkaException? Fatal()
    {
        const int size = 512;
        byte* text = stackalloc byte[size];
        int code = LibRdKafka.FatalError(handle, text, size);
        return code == LibRdKafka.NoError ? null : new KafkaException(new Error((ErrorCode)code, LibRdKafka.Text(text), isFatal: true));
    }

    /// <summary>Leaves the group (the handler hears of it) and frees the handle.</summary>
    public void Dispose()
    {
        if (handle == IntPtr.Zero) return;
        _ = LibRdKafka.ConsumerClose(handle);
        LibRdKafka.QueueDestroy(Queue);
        LibRdKafka.Destroy(handle);
        handle = Queue = IntPtr.Zero;
        self.Free();
        ThrowPending();
    }

    private static void SetCallbacks(IntPtr conf, IntPtr opaque)
    {
        LibRdKafka.ConfSetOpaque(conf, opaque);
        LibRdKafka.ConfSetRebalanceCallback(conf, &OnRebalance);
        LibRdKafka.ConfSetErrorCallback(conf, &OnError);

        // A fatal error would come on standard error whatever the log level; it is an exception here.
        LibRdKafka.ConfSetLogCallback(conf, null);
    }

    private void SetCallbacks(IntPtr conf) => SetCallbacks(conf, GCHandle.ToIntPtr(self));

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void OnRebalance(IntPtr rk, int error, NativePartitionList* partitions, IntPtr opaque)
    {
        var consumer = (NativeConsumer)GCHandle.FromIntPtr(opaque).Target!;
        bool assigned = error == LibRdKafka.AssignPartitions;
        var wanted = assigned ? consumer.Guard(() => consumer.Starts(partitions)) : [];
        if (!assigned) consumer.Guard(() => consumer.Leave(partitions, LibRdKafka.AssignmentLost(rk) != 0));

        // librdkafka waits for this answer whatever the handler did.
        consumer.Guard(() => Answer(rk, assigned, partitions, wanted ?? []));
    }

    // Errors that the client mends itself (a lost broker) come here too, and are its own affair.
    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void OnError(IntPtr rk, int error, byte* reason, IntPtr opaque)
    {
        var consumer = (NativeConsumer)GCHandle.FromIntPtr(opaque).Target!;
        if (error == LibRdKafka.Fatal) consumer.Pending ??= consumer.Fatal();
    }

    private IReadOnlyList<PartitionStart> Starts(NativePartitionList* partitions)
    {
        // A cooperative rebalance that changes nothing for this member comes as an empty assignment.
        if (partitions->Count == 0) return [];
        var wanted = handler!.Assigned(NativePartitions.Read(partitions));
        foreach (var (partition, offset) in wanted)
        {
            assignment.Add(partition);
            starts[partition] = offset;
        }

        Changed?.Invoke();
        return wanted;
    }

    private IReadOnlyList<PartitionStart> Leave(NativePartitionList* partitions, bool lost)
    {
        if (partitions->Count == 0) return [];
        var going = NativePartitions.Read(partitions);
        foreach (var partition in going)
        {
            assignment.Remove(partition);
            Gone?.Invoke(partition);
        }

        Changed?.Invoke();
        if (lost) handler!.Lost(going);
        else handler!.Revoked(going);
        return [];
    }

    private static IReadOnlyList<PartitionStart> Answer(IntPtr rk, bool assigned, NativePartitionList* partitions, IReadOnlyList<PartitionStart> wanted)
    {
        bool cooperative = LibRdKafka.Text(LibRdKafka.RebalanceProtocol(rk)) == "COOPERATIVE";
        using var answer = NativePartitions.Of(wanted);
        if (cooperative)
        {
            Check(assigned ? LibRdKafka.IncrementalAssign(rk, answer.List) : LibRdKafka.IncrementalUnassign(rk, partitions), "answer a rebalance");
        }
        else
        {
            Check(LibRdKafka.Assign(rk, assigned ? answer.List : null), "answer a rebalance");
        }

        return [];
    }

    private IReadOnlyList<PartitionStart>? Guard(Func<IReadOnlyList<PartitionStart>> action)
    {
        try
        {
            return action();
        }
        catch (Exception e)
        {
            // Kept, and thrown by the poll that we are in.
            Pending ??= e;
            return null;
        }
    }

    private static void Check(int error, string what)
    {
        if (error == LibRdKafka.NoError) return;
        throw new KafkaException(new Error((ErrorCode)error, $"The consumer could not {what}: {LibRdKafka.ErrorName(error)}"));
    }

    private static void Check(IntPtr error, string what)
    {
        if (error == IntPtr.Zero) return;
        string text = LibRdKafka.Text(LibRdKafka.ErrorObjectText(error));
        LibRdKafka.ErrorObjectDestroy(error);
        throw new KafkaException(new Error(ErrorCode.Local_Fail, $"The consumer could not {what}: {text}"));
    }
}
