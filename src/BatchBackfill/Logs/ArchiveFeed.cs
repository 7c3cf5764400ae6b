using System.Collections.Concurrent;
using StreamMl.Infrastructure.Archive;
using StreamMl.Infrastructure.Avro;
using StreamMl.Shared.Log;

namespace StreamMl.BatchBackfill.Logs;

/// <summary>One archived partition of a log.</summary>
/// <param name="log">Which.</param>
/// <param name="reader">Of its files.</param>
/// <param name="decoders">Of its source, shared by its partitions.</param>
/// <param name="isRepartitioned">Its records must name where they came from; one that does not is a dead letter.</param>
/// <param name="isUnknownSchema">Ids that no registry knew: their records are dead letters.</param>
internal sealed class ArchiveFeed(PartitionId log, ArchivePartitionReader reader, EventDecoderSet decoders, bool isRepartitioned, Func<int, bool> isUnknownSchema) : LogFeed
{
    private readonly ConcurrentDictionary<int, bool> unknown = new();

    public override IReadOnlyList<int> Partitions { get; } = [log.Partition];

    public override IEnumerable<IDisposable> Chunks() => reader.Read();

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
            into.SourcePartitions[i] = isRepartitioned ? records.SourcePartition(i) : -1;
            into.SourceOffsets[i] = records.SourceOffset(i);
            if ((!isRepartitioned || into.SourcePartitions[i] >= 0) && Decode(records.Value(i), into, i))
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
            if (unknown.GetOrAdd(schemaId, isUnknownSchema))
                return false;
            // Schemas come from files: the look-up completes synchronously.
            decoders.PrepareAsync(schemaId).AsTask().GetAwaiter().GetResult();
            status = decoders.Decode(value, into.Events, row, out _, out _, out _);
        }

        return status == DecodeStatus.Decoded;
    }
}
