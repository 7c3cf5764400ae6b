using StreamMl.Infrastructure.Archive;
using StreamMl.Infrastructure.Avro;
using StreamMl.Shared.Log;

namespace StreamMl.BatchBackfill.Logs;

/// <summary>One archived partition of a log.</summary>
internal sealed class ArchiveFeed(PartitionId log, ArchivePartitionReader reader, EventDecoderSet decoders, long toOffset = long.MaxValue) : LogFeed
{
    public override IReadOnlyList<int> Partitions { get; } = [log.Partition];

    public override IEnumerable<IDisposable> Chunks() => reader.Read(0, toOffset);

    public override void Prepare(IDisposable chunk, FeedBatch into)
    {
        using var records = (ArchiveChunk)chunk;
        var count = records.Count;
        into.Clear(count);
        var events = into.Events;
        events.Partition = log;
        records.Offsets.CopyTo(events.Offsets);
        records.ArrivalTimesUs.CopyTo(events.ArrivalTimesUs);
        into.Partitions.AsSpan(0, count).Fill(log.Partition);
        for (var i = 0; i < count; i++)
        {
            into.SourcePartitions[i] = records.SourcePartition(i);
            into.SourceOffsets[i] = records.SourceOffset(i);
            if (Decode(records.Value(i), into, i))
                into.Decoded[i] = 1;
            else
                into.SetUndecoded(i);
        }

        events.Count = count;
    }

    private bool Decode(ReadOnlySpan<byte> value, FeedBatch into, int row)
    {
        var status = decoders.Decode(value, into.Events, row, out _, out var schemaId, out _);
        if (status == DecodeStatus.SchemaMissing)
        {
            // Schemas come from files: the look-up completes synchronously.
            decoders.PrepareAsync(schemaId).AsTask().GetAwaiter().GetResult();
            status = decoders.Decode(value, into.Events, row, out _, out _, out _);
        }

        return status == DecodeStatus.Decoded;
    }
}
