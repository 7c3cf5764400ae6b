using System.Diagnostics;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Confluent.Kafka;

namespace StreamMl.Infrastructure.Kafka.Native;

/// <summary>
/// The functions of librdkafka that Confluent.Kafka does not offer: the mock cluster and the batch consumer.
/// They bind to the very module that Confluent.Kafka loaded, so a process holds one librdkafka only.
/// </summary>
internal static unsafe partial class LibRdKafka
{
    private const string Name = "librdkafka";

    static LibRdKafka() => NativeLibrary.SetDllImportResolver(typeof(LibRdKafka).Assembly, Resolve);

    private static IntPtr Resolve(string library, Assembly assembly, DllImportSearchPath? path)
    {
        if (library != Name) return IntPtr.Zero;
        if (!Library.IsLoaded) Library.Load();

        // Which of its builds Confluent.Kafka could load depends on the machine (glibc or musl, with or without SASL).
        using var process = Process.GetCurrentProcess();
        foreach (ProcessModule module in process.Modules)
        {
            if (module.ModuleName.Contains("librdkafka", StringComparison.Ordinal)) return NativeLibrary.Load(module.FileName);
        }

        throw new DllNotFoundException("Confluent.Kafka is loaded, but no module named *librdkafka* is among the process's modules.");
    }

    public const int NoError = 0;
    public const int PartitionEof = -191;
    public const int AssignPartitions = -175;
    public const int NoEntry = -156;
    public const int Fatal = -150;
    public const int MaxPollExceeded = -147;
    public const int AutoOffsetReset = -140;
    public const int TimedOut = -185;
    public const int QueueFull = -184;

    // Configuration and handles -------------------------------------------------------------------------------------------

    [LibraryImport(Name, EntryPoint = "rd_kafka_conf_new")]
    public static partial IntPtr ConfNew();

    [LibraryImport(Name, EntryPoint = "rd_kafka_conf_destroy")]
    public static partial void ConfDestroy(IntPtr conf);

    [LibraryImport(Name, EntryPoint = "rd_kafka_conf_set", StringMarshalling = StringMarshalling.Utf8)]
    public static partial int ConfSet(IntPtr conf, string name, string value, byte* error, nuint errorSize);

    [LibraryImport(Name, EntryPoint = "rd_kafka_conf_set_opaque")]
    public static partial void ConfSetOpaque(IntPtr conf, IntPtr opaque);

    [LibraryImport(Name, EntryPoint = "rd_kafka_conf_set_rebalance_cb")]
    public static partial void ConfSetRebalanceCallback(IntPtr conf, delegate* unmanaged[Cdecl]<IntPtr, int, NativePartitionList*, IntPtr, void> callback);

    [LibraryImport(Name, EntryPoint = "rd_kafka_conf_set_error_cb")]
    public static partial void ConfSetErrorCallback(IntPtr conf, delegate* unmanaged[Cdecl]<IntPtr, int, byte*, IntPtr, void> callback);

    [LibraryImport(Name, EntryPoint = "rd_kafka_conf_set_log_cb")]
    public static partial void ConfSetLogCallback(IntPtr conf, delegate* unmanaged[Cdecl]<IntPtr, int, byte*, byte*, void> callback);

    [LibraryImport(Name, EntryPoint = "rd_kafka_new")]
    public static partial IntPtr New(int type, IntPtr conf, byte* error, nuint errorSize);

    [LibraryImport(Name, EntryPoint = "rd_kafka_destroy")]
    public static partial void Destroy(IntPtr handle);

    [LibraryImport(Name, EntryPoint = "rd_kafka_err2str")]
    public static partial byte* ErrorText(int error);

    [LibraryImport(Name, EntryPoint = "rd_kafka_fatal_error")]
    public static partial int FatalError(IntPtr handle, byte* text, nuint size);

    [LibraryImport(Name, EntryPoint = "rd_kafka_error_string")]
    public static partial byte* ErrorObjectText(IntPtr error);

    [LibraryImport(Name, EntryPoint = "rd_kafka_error_destroy")]
    public static partial void ErrorObjectDestroy(IntPtr error);

    [LibraryImport(Name, EntryPoint = "rd_kafka_error_code")]
    public static partial int ErrorObjectCode(IntPtr error);

    // Producer ------------------------------------------------------------------------------------------------------------

    [LibraryImport(Name, EntryPoint = "rd_kafka_conf_set_dr_msg_cb")]
    public static partial void ConfSetDeliveryCallback(IntPtr conf, delegate* unmanaged[Cdecl]<IntPtr, NativeMessage*, IntPtr, void> callback);

    [LibraryImport(Name, EntryPoint = "rd_kafka_topic_new", StringMarshalling = StringMarshalling.Utf8)]
    public static partial IntPtr TopicNew(IntPtr handle, string topic, IntPtr conf);

    [LibraryImport(Name, EntryPoint = "rd_kafka_topic_destroy")]
    public static partial void TopicDestroy(IntPtr topic);

    /// <summary>Answers an error object, or null.</summary>
    [LibraryImport(Name, EntryPoint = "rd_kafka_produceva")]
    public static partial IntPtr Produce(IntPtr handle, NativeVu* parts, nuint count);

    [LibraryImport(Name, EntryPoint = "rd_kafka_flush")]
    public static partial int Flush(IntPtr handle, int timeoutMs);

    // Mock cluster --------------------------------------------------------------------------------------------------------

    [LibraryImport(Name, EntryPoint = "rd_kafka_mock_cluster_new")]
    public static partial IntPtr MockClusterNew(IntPtr handle, int brokers);

    [LibraryImport(Name, EntryPoint = "rd_kafka_mock_cluster_destroy")]
    public static partial void MockClusterDestroy(IntPtr cluster);

    [LibraryImport(Name, EntryPoint = "rd_kafka_mock_cluster_bootstraps")]
    public static partial byte* MockClusterBootstraps(IntPtr cluster);

    [LibraryImport(Name, EntryPoint = "rd_kafka_mock_topic_create", StringMarshalling = StringMarshalling.Utf8)]
    public static partial int MockTopicCreate(IntPtr cluster, string topic, int partitions, int replicas);

    [LibraryImport(Name, EntryPoint = "rd_kafka_mock_partition_delete_records", StringMarshalling = StringMarshalling.Utf8)]
    public static partial int MockPartitionDeleteRecords(IntPtr cluster, string topic, int partition, long beforeOffset);

    [LibraryImport(Name, EntryPoint = "rd_kafka_mock_set_group_consumer_heartbeat_interval_ms")]
    public static partial void MockGroupConsumerHeartbeatIntervalMs(IntPtr cluster, int intervalMs);

    [LibraryImport(Name, EntryPoint = "rd_kafka_mock_group_initial_rebalance_delay_ms")]
    public static partial void MockGroupInitialRebalanceDelayMs(IntPtr cluster, int delayMs);

    // Consumer ------------------------------------------------------------------------------------------------------------

    /// <summary>What the last fetch said, without asking the broker.</summary>
    [LibraryImport(Name, EntryPoint = "rd_kafka_get_watermark_offsets", StringMarshalling = StringMarshalling.Utf8)]
    public static partial int WatermarkOffsets(IntPtr handle, string topic, int partition, long* low, long* high);

    [LibraryImport(Name, EntryPoint = "rd_kafka_poll_set_consumer")]
    public static partial int PollSetConsumer(IntPtr handle);

    [LibraryImport(Name, EntryPoint = "rd_kafka_queue_get_consumer")]
    public static partial IntPtr QueueGetConsumer(IntPtr handle);

    [LibraryImport(Name, EntryPoint = "rd_kafka_queue_destroy")]
    public static partial void QueueDestroy(IntPtr queue);

    [LibraryImport(Name, EntryPoint = "rd_kafka_consume_batch_queue")]
    public static partial nint ConsumeBatchQueue(IntPtr queue, int timeoutMs, NativeMessage** messages, nuint size);

    [LibraryImport(Name, EntryPoint = "rd_kafka_message_destroy")]
    public static partial void MessageDestroy(NativeMessage* message);

    // Reads two fields of the message: far less work than a change of GC mode.
    [LibraryImport(Name, EntryPoint = "rd_kafka_message_timestamp"), SuppressGCTransition]
    public static partial long MessageTimestampMs(NativeMessage* message, int* type);

    // Answers at once for a message without headers, which is the common case; else it parses a few bytes.
    [LibraryImport(Name, EntryPoint = "rd_kafka_message_headers"), SuppressGCTransition]
    public static partial int MessageHeaders(NativeMessage* message, IntPtr* headers);

    [LibraryImport(Name, EntryPoint = "rd_kafka_header_get_all")]
    public static partial int HeaderGetAll(IntPtr headers, nuint index, byte** name, byte** value, nuint* size);

    [LibraryImport(Name, EntryPoint = "rd_kafka_topic_name")]
    public static partial byte* TopicName(IntPtr topic);

    [LibraryImport(Name, EntryPoint = "rd_kafka_subscribe")]
    public static partial int Subscribe(IntPtr handle, NativePartitionList* topics);

    [LibraryImport(Name, EntryPoint = "rd_kafka_assign")]
    public static partial int Assign(IntPtr handle, NativePartitionList* partitions);

    [LibraryImport(Name, EntryPoint = "rd_kafka_incremental_assign")]
    public static partial IntPtr IncrementalAssign(IntPtr handle, NativePartitionList* partitions);

    [LibraryImport(Name, EntryPoint = "rd_kafka_incremental_unassign")]
    public static partial IntPtr IncrementalUnassign(IntPtr handle, NativePartitionList* partitions);

    [LibraryImport(Name, EntryPoint = "rd_kafka_assignment_lost")]
    public static partial int AssignmentLost(IntPtr handle);

    [LibraryImport(Name, EntryPoint = "rd_kafka_rebalance_protocol")]
    public static partial byte* RebalanceProtocol(IntPtr handle);

    [LibraryImport(Name, EntryPoint = "rd_kafka_pause_partitions")]
    public static partial int PausePartitions(IntPtr handle, NativePartitionList* partitions);

    [LibraryImport(Name, EntryPoint = "rd_kafka_resume_partitions")]
    public static partial int ResumePartitions(IntPtr handle, NativePartitionList* partitions);

    [LibraryImport(Name, EntryPoint = "rd_kafka_seek_partitions")]
    public static partial IntPtr SeekPartitions(IntPtr handle, NativePartitionList* partitions, int timeoutMs);

    [LibraryImport(Name, EntryPoint = "rd_kafka_commit")]
    public static partial int Commit(IntPtr handle, NativePartitionList* offsets, int async);

    [LibraryImport(Name, EntryPoint = "rd_kafka_consumer_close")]
    public static partial int ConsumerClose(IntPtr handle);

    [LibraryImport(Name, EntryPoint = "rd_kafka_query_watermark_offsets", StringMarshalling = StringMarshalling.Utf8)]
    public static partial int QueryWatermarkOffsets(IntPtr handle, string topic, int partition, long* low, long* high, int timeoutMs);

    [LibraryImport(Name, EntryPoint = "rd_kafka_topic_partition_list_new")]
    public static partial NativePartitionList* PartitionListNew(int size);

    [LibraryImport(Name, EntryPoint = "rd_kafka_topic_partition_list_add", StringMarshalling = StringMarshalling.Utf8)]
    public static partial NativePartition* PartitionListAdd(NativePartitionList* list, string topic, int partition);

    [LibraryImport(Name, EntryPoint = "rd_kafka_topic_partition_list_destroy")]
    public static partial void PartitionListDestroy(NativePartitionList* list);

    /// <summary>A new handle from string settings; log level 0 keeps librdkafka off standard error.</summary>
    /// <param name="type">0 producer, 1 consumer.</param>
    /// <param name="settings">By librdkafka's names.</param>
    /// <param name="callbacks">Sets callbacks on the configuration object.</param>
    /// <exception cref="InvalidOperationException">A setting that librdkafka refuses, with its words.</exception>
    public static IntPtr Create(int type, IEnumerable<KeyValuePair<string, string>> settings, Action<IntPtr>? callbacks = null)
    {
        const int size = 512;
        byte* error = stackalloc byte[size];
        var conf = ConfNew();
        foreach (var (name, value) in settings)
        {
            if (ConfSet(conf, name, value, error, size) == 0) continue;
            ConfDestroy(conf);
            throw new InvalidOperationException($"librdkafka refused {name}={value}: {Text(error)}");
        }

        callbacks?.Invoke(conf);
        var handle = New(type, conf, error, size);
        if (handle != IntPtr.Zero) return handle;
        ConfDestroy(conf);
        throw new InvalidOperationException($"librdkafka could not make a client: {Text(error)}");
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    public static string Text(byte* text) => Marshal.PtrToStringUTF8((IntPtr)text) ?? "";

    public static string ErrorName(int error) => Text(ErrorText(error));
}

/// <summary>rd_kafka_message_t: part of librdkafka's stable ABI.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct NativeMessage
{
    public int Error;
    public IntPtr Topic;
    public int Partition;
    public byte* Value;
    public nuint ValueLength;
    public byte* Key;
    public nuint KeyLength;
    public long Offset;
    public IntPtr Private;
}

/// <summary>rd_kafka_topic_partition_t.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct NativePartition
{
    public byte* Topic;
    public int Partition;
    public long Offset;
    public IntPtr Metadata;
    public nuint MetadataSize;
    public IntPtr Opaque;
    public int Error;
    public IntPtr Private;
}

/// <summary>rd_kafka_topic_partition_list_t.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct NativePartitionList
{
    public int Count;
    public int Size;
    public NativePartition* Elements;
}
