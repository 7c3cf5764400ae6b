using System.Buffers;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using Confluent.Kafka;
using StreamMl.Shared.Log;
using StreamMl.Shared.Time;

namespace StreamMl.Infrastructure.Kafka.Native;

/// <summary>
/// Sends by librdkafka's own call, in waves: records are held until those before them are delivered, then go together, of at most <see cref="MaxPartitions"/> partitions. So librdkafka
/// never has more than it may send: while it has, its thread goes round without a pause. Nothing is allocated per record. One caller at a time.
/// </summary>
internal sealed class NativeSender : IRecordSender
{
    /// <summary>Requests that an idempotent producer may have under way at one broker; a partition's records of a wave are one of them, mostly.</summary>
    private const int MaxPartitions = 5;

    /// <summary>Less than librdkafka's 1,000,000 of a batch, for it counts some bytes more of each record.</summary>
    private const int MaxRequestBytes = 700_000;

    private const int ProducerType = 0;
    private const int StepMs = 50;

    /// <summary>Parts of a record beside its headers: see <see cref="SetParts"/>.</summary>
    private const int FixedParts = 6;

    private static readonly TimeSpan FullPause = TimeSpan.FromMilliseconds(1);
    private readonly Dictionary<string, IntPtr> topics = new(StringComparer.Ordinal);
    private readonly Dictionary<PartitionId, HeldRecords> held = [];
    private readonly Queue<HeldRecords> due = new();
    private readonly Stack<HeldRecords> idle = new();
    private readonly List<HeldRecords> wave = [];
    private readonly Lock gate = new();
    private readonly AutoResetEvent came = new(initialState: false);
    private readonly ManualResetEventSlim hurry = new();
    private readonly int lingerMs;
    private readonly long maxBytes;
    private readonly Thread thread;
    private readonly GCHandle self;
    private IntPtr handle;
    private HeldRecords? last;
    private KafkaException? failure;
    private long bytes;
    private int flushes;
    private volatile bool isDisposed;

    /// <param name="settings">By librdkafka's names.</param>
    /// <param name="lingerMs">How long a wave waits for more records.</param>
    /// <param name="maxBytes">Of records that are held or under way; more wait.</param>
    public NativeSender(IEnumerable<KeyValuePair<string, string>> settings, int lingerMs, long maxBytes)
    {
        (this.lingerMs, this.maxBytes) = (lingerMs, maxBytes);
        self = GCHandle.Alloc(this);
        try
        {
            handle = LibRdKafka.Create(ProducerType, [.. settings, new("delivery.report.only.error", "true"), new("log_level", "0")], SetCallbacks);
        }
        catch
        {
            self.Free();
            throw;
        }

        thread = new Thread(Run) { IsBackground = true, Name = "kafka sender" };
        thread.Start();
    }

    public ValueTask SendAsync(
        PartitionId target, ReadOnlyMemory<byte>? key, ReadOnlyMemory<byte> value, long timestampUs, IReadOnlyList<KeyValuePair<string, byte[]>>? headers, CancellationToken cancellationToken)
    {
        ObjectDisposedException.ThrowIf(isDisposed, this);
        ThrowIfFailed();
        return TryHold(target, key, value.Span, timestampUs, headers) ? ValueTask.CompletedTask : HoldLaterAsync(target, key, value, timestampUs, headers, cancellationToken);
    }

    public async Task FlushAsync(CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref flushes);
        hurry.Set();
        came.Set();
        try
        {
            while (Volatile.Read(ref bytes) > 0 && Volatile.Read(ref failure) is null)
                await ShortPause.WaitAsync(FullPause, TimeProvider.System, cancellationToken);
        }
        finally
        {
            if (Interlocked.Decrement(ref flushes) == 0 && !isDisposed)
                hurry.Reset();
        }

        ThrowIfFailed();
    }

    /// <summary>Gives what is held or under way ten seconds; flush first to know that it was delivered.</summary>
    public async ValueTask DisposeAsync()
    {
        const int patienceMs = 10_000;
        if (isDisposed) return;
        isDisposed = true;
        hurry.Set();
        came.Set();
        await Task.Run(() =>
        {
            if (!thread.Join(patienceMs))
            {
                Fail(new KafkaException(new Error(ErrorCode.Local_Destroy, "the sender was ended")));
                thread.Join();
            }
        });
        foreach (var topic in topics.Values) LibRdKafka.TopicDestroy(topic);
        LibRdKafka.Destroy(handle);
        handle = IntPtr.Zero;
        self.Free();
        came.Dispose();
        hurry.Dispose();
    }

    private async ValueTask HoldLaterAsync(
        PartitionId target, ReadOnlyMemory<byte>? key, ReadOnlyMemory<byte> value, long timestampUs, IReadOnlyList<KeyValuePair<string, byte[]>>? headers, CancellationToken cancellationToken)
    {
        do
        {
            await ShortPause.WaitAsync(FullPause, TimeProvider.System, cancellationToken);
            ThrowIfFailed();
        }
        while (!TryHold(target, key, value.Span, timestampUs, headers));
    }

    /// <summary>False: there is no room. One record has room always.</summary>
    private bool TryHold(PartitionId target, ReadOnlyMemory<byte>? key, ReadOnlySpan<byte> value, long timestampUs, IReadOnlyList<KeyValuePair<string, byte[]>>? headers)
    {
        // An empty record counts too, or a flush would not see it.
        var size = (key?.Length ?? 0) + value.Length + 1;
        lock (gate)
        {
            if (bytes > 0 && bytes + size > maxBytes) return false;
            if (last is null || last.Target != target || last.Bytes + size > MaxRequestBytes) last = HeldFor(target, size);
            last.Add(key, value, timestampUs, headers);
            if (bytes == 0) came.Set();
            Volatile.Write(ref bytes, bytes + size);
        }

        return true;
    }

    private HeldRecords HeldFor(PartitionId target, int size)
    {
        if (held.TryGetValue(target, out var records) && records.Bytes + size <= MaxRequestBytes) return records;
        if (!idle.TryPop(out records)) records = new HeldRecords();
        records.Target = target;
        held[target] = records;
        due.Enqueue(records);
        return records;
    }

    private void Run()
    {
        try
        {
            SendWaves();
        }
        catch (Exception e)
        {
            // Its callers hear of it: nothing is sent after what could not be.
            Fail(new KafkaException(new Error(ErrorCode.Local_Application, $"the sender ended: {e.Message}"), e));
        }
    }

    private void SendWaves()
    {
        while (!isDisposed || Volatile.Read(ref bytes) > 0)
        {
            came.WaitOne();
            var since = TimeProvider.System.GetTimestamp();
            do
            {
                var rest = lingerMs - (int)TimeProvider.System.GetElapsedTime(since).TotalMilliseconds;
                if (rest > 0) hurry.Wait(rest);
                since = TimeProvider.System.GetTimestamp();
            }
            while (Take() && Deliver());
            if (Volatile.Read(ref failure) is not null) return;
        }
    }

    /// <summary>The next wave; partitions take turns.</summary>
    private bool Take()
    {
        lock (gate)
        {
            // All go round, so that what is left stays in order: of one partition one after the other.
            for (var left = due.Count; left > 0; left--)
            {
                var records = due.Dequeue();
                if (wave.Count == MaxPartitions || wave.Exists(r => r.Target == records.Target))
                {
                    due.Enqueue(records);
                    continue;
                }

                if (held[records.Target] == records) held.Remove(records.Target);
                if (last == records) last = null;
                wave.Add(records);
            }
        }

        return wave.Count > 0;
    }

    /// <summary>False: it can not be delivered, and so can nothing after it.</summary>
    private bool Deliver()
    {
        foreach (var records in wave)
        {
            for (var i = 0; i < records.Count; i++)
            {
                while (!TryProduce(records, records[i]))
                {
                    if (Volatile.Read(ref failure) is not null) return false;
                    _ = LibRdKafka.Flush(handle, 1);
                }
            }
        }

        // In steps, so that failures are heard of.
        while (LibRdKafka.Flush(handle, StepMs) == LibRdKafka.TimedOut)
        {
            if (Volatile.Read(ref failure) is not null) return false;
        }

        if (Volatile.Read(ref failure) is not null) return false;

        lock (gate)
        {
            Volatile.Write(ref bytes, bytes - wave.Sum(r => (long)r.Bytes + r.Count));
            foreach (var records in wave)
            {
                records.Clear();
                idle.Push(records);
            }
        }

        wave.Clear();
        return true;
    }

    /// <summary>False: librdkafka's queue is full, or the record was refused.</summary>
    private unsafe bool TryProduce(HeldRecords records, in HeldRecords.Record record)
    {
        fixed (byte* key = records.Key(record))
        fixed (byte* value = records.Value(record))
        {
            if (record.Headers is { } headers) return TryProduce(records.Target, record, key, value, headers);
            var parts = stackalloc NativeVu[FixedParts];
            SetParts(parts, TopicOf(records.Target.Topic), records.Target.Partition, record.TimestampUs, key, record.KeyLength, value, record.ValueLength);
            return IsSent(records.Target, LibRdKafka.Produce(handle, parts, FixedParts));
        }
    }

    private unsafe bool TryProduce(PartitionId target, in HeldRecords.Record record, byte* key, byte* value, IReadOnlyList<KeyValuePair<string, byte[]>> headers)
    {
        var parts = stackalloc NativeVu[FixedParts + headers.Count];
        var pins = new List<MemoryHandle>();
        try
        {
            for (int i = 0; i < headers.Count; i++)
            {
                var name = new Memory<byte>([.. Encoding.UTF8.GetBytes(headers[i].Key), 0]).Pin();
                var content = headers[i].Value.AsMemory().Pin();
                pins.AddRange([name, content]);
                parts[FixedParts + i] = new NativeVu { Kind = NativeVu.Header, Pointer = (IntPtr)name.Pointer, Second = (nuint)content.Pointer, Third = headers[i].Value.Length };
            }

            SetParts(parts, TopicOf(target.Topic), target.Partition, record.TimestampUs, key, record.KeyLength, value, record.ValueLength);
            return IsSent(target, LibRdKafka.Produce(handle, parts, (nuint)(FixedParts + headers.Count)));
        }
        finally
        {
            foreach (var pin in pins) pin.Dispose();
        }
    }

    private static unsafe void SetParts(NativeVu* parts, IntPtr topic, int partition, long timestampUs, byte* key, int keyLength, byte* value, int valueLength)
    {
        // An empty key is not the same as none: its address says so.
        var none = stackalloc byte[1];
        parts[0] = new NativeVu { Kind = NativeVu.Topic, Pointer = topic };
        parts[1] = new NativeVu { Kind = NativeVu.Partition, Pointer = partition };
        parts[2] = new NativeVu { Kind = NativeVu.Flags, Pointer = NativeVu.Copy };
        parts[3] = new NativeVu { Kind = NativeVu.Timestamp, Pointer = checked((nint)(timestampUs / 1000)) };
        parts[4] = new NativeVu { Kind = NativeVu.Key, Pointer = (IntPtr)(keyLength == 0 ? none : key), Second = (nuint)Math.Max(keyLength, 0) };
        parts[5] = new NativeVu { Kind = NativeVu.Value, Pointer = (IntPtr)(valueLength == 0 ? none : value), Second = (nuint)valueLength };
    }

    private unsafe bool IsSent(PartitionId target, IntPtr error)
    {
        if (error == IntPtr.Zero) return true;
        int code = LibRdKafka.ErrorObjectCode(error);
        string text = LibRdKafka.Text(LibRdKafka.ErrorObjectText(error));
        LibRdKafka.ErrorObjectDestroy(error);
        if (code == LibRdKafka.QueueFull) return false;
        Fail(new KafkaException(new Error((ErrorCode)code, $"{target}: a record was refused: {text}")));
        return false;
    }

    private IntPtr TopicOf(string name)
    {
        if (!topics.TryGetValue(name, out var topic))
        {
            topic = LibRdKafka.TopicNew(handle, name, IntPtr.Zero);
            if (topic == IntPtr.Zero) throw new InvalidOperationException($"librdkafka could not make a handle of topic '{name}'");
            topics.Add(name, topic);
        }

        return topic;
    }

    private void Fail(KafkaException e) => Interlocked.CompareExchange(ref failure, e, null);

    private void ThrowIfFailed()
    {
        if (Volatile.Read(ref failure) is { } e) throw new KafkaException(e.Error, e);
    }

    private unsafe void SetCallbacks(IntPtr conf)
    {
        LibRdKafka.ConfSetOpaque(conf, GCHandle.ToIntPtr(self));
        LibRdKafka.ConfSetDeliveryCallback(conf, &OnDelivery);
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static unsafe void OnDelivery(IntPtr rk, NativeMessage* message, IntPtr opaque)
    {
        if (message->Error == LibRdKafka.NoError) return;
        var sender = (NativeSender)GCHandle.FromIntPtr(opaque).Target!;
        string topic = LibRdKafka.Text(LibRdKafka.TopicName(message->Topic));
        sender.Fail(new KafkaException(new Error((ErrorCode)message->Error, $"{topic}/{message->Partition}: a record of {message->ValueLength} bytes could not be delivered: {LibRdKafka.ErrorName(message->Error)}")));
    }
}

/// <summary>rd_kafka_vu_t: one part of a record.</summary>
[StructLayout(LayoutKind.Explicit, Size = 72)]
internal struct NativeVu
{
    public const int Topic = 2;
    public const int Partition = 3;
    public const int Value = 4;
    public const int Key = 5;
    public const int Flags = 7;
    public const int Timestamp = 8;
    public const int Header = 9;

    /// <summary>RD_KAFKA_MSG_F_COPY.</summary>
    public const int Copy = 2;

    [FieldOffset(0)]
    public int Kind;

    [FieldOffset(8)]
    public IntPtr Pointer;

    [FieldOffset(16)]
    public nuint Second;

    [FieldOffset(24)]
    public nint Third;
}
