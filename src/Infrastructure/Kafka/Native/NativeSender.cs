using System.Buffers;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using Confluent.Kafka;
using StreamMl.Shared.Log;
using StreamMl.Shared.Time;

namespace StreamMl.Infrastructure.Kafka.Native;

/// <summary>
/// Sends by librdkafka's own call, which copies the record into its queue: nothing is allocated per record, and only records that fail are reported. The queue is the bound.
/// </summary>
internal sealed class NativeSender : IRecordSender
{
    private const int ProducerType = 0;
    private const int PollEvery = 256;

    /// <summary>Parts of a record beside its headers: see <see cref="SetParts"/>.</summary>
    private const int FixedParts = 6;

    private static readonly TimeSpan FullPause = TimeSpan.FromMilliseconds(1);
    private readonly Dictionary<string, IntPtr> topics = new(StringComparer.Ordinal);
    private readonly GCHandle self;
    private IntPtr handle;
    private (string Name, IntPtr Handle) last = ("", IntPtr.Zero);
    private KafkaException? failure;
    private int sincePoll;

    public NativeSender(IEnumerable<KeyValuePair<string, string>> settings)
    {
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
    }

    public ValueTask SendAsync(
        PartitionId target, ReadOnlyMemory<byte>? key, ReadOnlyMemory<byte> value, long timestampUs, IReadOnlyList<KeyValuePair<string, byte[]>>? headers, CancellationToken cancellationToken)
    {
        ObjectDisposedException.ThrowIf(handle == IntPtr.Zero, this);
        if (++sincePoll >= PollEvery) Poll();
        ThrowIfFailed();
        return TrySend(target, key, value.Span, timestampUs, headers) ? ValueTask.CompletedTask : SendLaterAsync(target, key, value, timestampUs, headers, cancellationToken);
    }

    public async Task FlushAsync(CancellationToken cancellationToken)
    {
        const int stepMs = 50;
        await Task.Run(
            () =>
            {
                // In steps, so that it can be cancelled; it polls, so that failures are heard of.
                while (LibRdKafka.Flush(handle, stepMs) == LibRdKafka.TimedOut) cancellationToken.ThrowIfCancellationRequested();
            },
            cancellationToken);
        ThrowIfFailed();
    }

    /// <summary>Gives what is under way ten seconds; flush first to know that it was delivered.</summary>
    public async ValueTask DisposeAsync()
    {
        const int patienceMs = 10_000;
        if (handle == IntPtr.Zero) return;
        await Task.Run(() => LibRdKafka.Flush(handle, patienceMs));
        foreach (var topic in topics.Values) LibRdKafka.TopicDestroy(topic);
        LibRdKafka.Destroy(handle);
        handle = IntPtr.Zero;
        self.Free();
    }

    private async ValueTask SendLaterAsync(
        PartitionId target, ReadOnlyMemory<byte>? key, ReadOnlyMemory<byte> value, long timestampUs, IReadOnlyList<KeyValuePair<string, byte[]>>? headers, CancellationToken cancellationToken)
    {
        do
        {
            await ShortPause.WaitAsync(FullPause, TimeProvider.System, cancellationToken);
            Poll();
            ThrowIfFailed();
        }
        while (!TrySend(target, key, value.Span, timestampUs, headers));
    }

    /// <summary>False: the queue is full.</summary>
    private unsafe bool TrySend(PartitionId target, ReadOnlyMemory<byte>? key, ReadOnlySpan<byte> value, long timestampUs, IReadOnlyList<KeyValuePair<string, byte[]>>? headers)
    {
        if (headers is not null) return TrySendWithHeaders(target, key, value, timestampUs, headers);
        fixed (byte* keyBytes = key.GetValueOrDefault().Span)
        fixed (byte* valueBytes = value)
        {
            var parts = stackalloc NativeVu[FixedParts];
            SetParts(parts, TopicOf(target.Topic), target.Partition, timestampUs, keyBytes, key?.Length ?? -1, valueBytes, value.Length);
            return IsSent(target, LibRdKafka.Produce(handle, parts, FixedParts));
        }
    }

    private unsafe bool TrySendWithHeaders(PartitionId target, ReadOnlyMemory<byte>? key, ReadOnlySpan<byte> value, long timestampUs, IReadOnlyList<KeyValuePair<string, byte[]>> headers)
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

            fixed (byte* keyBytes = key.GetValueOrDefault().Span)
            fixed (byte* valueBytes = value)
            {
                SetParts(parts, TopicOf(target.Topic), target.Partition, timestampUs, keyBytes, key?.Length ?? -1, valueBytes, value.Length);
                return IsSent(target, LibRdKafka.Produce(handle, parts, (nuint)(FixedParts + headers.Count)));
            }
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
        throw failure ??= new KafkaException(new Error((ErrorCode)code, $"{target}: a record was refused: {text}"));
    }

    private IntPtr TopicOf(string name)
    {
        if (ReferenceEquals(last.Name, name)) return last.Handle;
        if (!topics.TryGetValue(name, out var topic))
        {
            topic = LibRdKafka.TopicNew(handle, name, IntPtr.Zero);
            if (topic == IntPtr.Zero) throw new InvalidOperationException($"librdkafka could not make a handle of topic '{name}'");
            topics.Add(name, topic);
        }

        last = (name, topic);
        return topic;
    }

    private void Poll()
    {
        sincePoll = 0;
        _ = LibRdKafka.Poll(handle, 0);
    }

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
        sender.failure ??= new KafkaException(new Error((ErrorCode)message->Error, $"{topic}/{message->Partition}: a record of {message->ValueLength} bytes could not be delivered: {LibRdKafka.ErrorName(message->Error)}"));
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
