using System.Buffers.Binary;
using System.IO.Hashing;
using System.Text;
using StreamMl.Infrastructure.Kafka;
using StreamMl.Ingestors.Mapping;
using StreamMl.Shared.Definitions;
using StreamMl.Shared.Log;

namespace StreamMl.Ingestors.Replay;

/// <summary>
/// Where an earlier run of the same replay ended, told by the topic itself: every record of a replay carries the header <c>sml-seq</c>, the id of the
/// replay (u64 BE: source, files, schema and mapping) and the record's number in the source's order (i64 BE). In a partition the numbers ascend, so a
/// restarted replay passes over what is up to the last one: nothing is lost and nothing comes twice, whatever killed the first.
/// </summary>
internal static class ReplayMark
{
    public const string Header = "sml-seq";

    private const int FirstLook = 1_000;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    public static byte[] Encode(ulong replay, long number)
    {
        var bytes = new byte[16];
        BinaryPrimitives.WriteUInt64BigEndian(bytes, replay);
        BinaryPrimitives.WriteInt64BigEndian(bytes.AsSpan(8), number);
        return bytes;
    }

    /// <summary>Changes with anything that changes the numbers or the records.</summary>
    public static ulong IdOf(SourceMapping mapping, SourceDefinition source)
    {
        var hash = new XxHash64();
        hash.Append(Encoding.UTF8.GetBytes($"{source.Topic}\n{source.AvroSchema}\n{mapping.Sort} {mapping.ArrivalDelay} {mapping.FileOptions.Delimiter} {string.Join(',', mapping.FileOptions.Nulls ?? [])}"
            + $"\n{mapping.Where?.Expression}\n{Text(mapping.EventTime)}\n{Text(mapping.ArrivalTime)}"));
        foreach (var (name, field) in mapping.Fields.OrderBy(f => f.Key, StringComparer.Ordinal))
            hash.Append(Encoding.UTF8.GetBytes($"\n{name}: {Text(field)}"));
        foreach (var file in mapping.Files)
            hash.Append(Encoding.UTF8.GetBytes($"\n{Path.GetFileName(file)} {new FileInfo(file).Length}"));
        return hash.GetCurrentHashAsUInt64();
    }

    /// <summary>The last number of this replay in the partition; -1 where it has none.</summary>
    public static async Task<long> LastAsync(KafkaEndpoint kafka, TopicAdmin admin, PartitionId partition, ulong replay, CancellationToken cancellationToken)
    {
        var (low, high) = await admin.OffsetsAsync(partition, cancellationToken);
        for (long look = FirstLook; low < high; look *= 10)
        {
            var from = Math.Max(low, high - look);
            var last = Scan(kafka, partition, from, high, replay, cancellationToken);
            if (last >= 0 || from == low)
                return last;
        }

        return -1;
    }

    private static long Scan(KafkaEndpoint kafka, PartitionId partition, long from, long end, ulong replay, CancellationToken cancellationToken)
    {
        using var source = new KafkaConsumerFactory(kafka).CreateManagedSource(new RecordSourceOptions { ReadHeaders = true });
        using var batch = new RawRecordBatch();
        source.Assign([new PartitionStart(partition, from)]);
        var last = -1L;
        for (var next = from; next < end;)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (!source.TryReadBatch(batch, Patience))
                throw new TimeoutException($"{partition}: nothing was read from offset {next} to {end} within {Patience.TotalSeconds} s; is the broker there?");
            for (var row = 0; row < batch.Count; row++)
            {
                next = batch.Records[row].Offset + 1;
                if (next <= end && batch.TryGetHeader(row, "sml-seq"u8, out var mark) && mark.Length == 16 && BinaryPrimitives.ReadUInt64BigEndian(mark) == replay)
                    last = BinaryPrimitives.ReadInt64BigEndian(mark[8..]);
            }

            foreach (var reached in batch.Ends)
                next = Math.Max(next, reached.Offset);
        }

        return last;
    }

    private static string? Text(FieldMapping? field) => field switch
    {
        FromColumn column => column.Column,
        FromConstant constant => $"constant {constant.Text}",
        FromExpression expression => $"expression {expression.Expression}",
        FromTime { Time: var time } => $"time {time.Column} {string.Join(' ', time.Terms)} {time.Format.Unit} {time.Format.Pattern} {time.Format.Zone?.Id}",
        _ => null,
    };
}
