using System.Buffers;
using System.Collections.Concurrent;
using StreamMl.Infrastructure.Avro;
using StreamMl.Shared.Definitions;
using StreamMl.Shared.Events;
using StreamMl.Shared.Log;
using StreamMl.Shared.Time;

namespace StreamMl.Ingestors.Http;

/// <summary>An event on its way, or why it is none.</summary>
internal readonly record struct IntakeRecord(byte[]? Key, byte[]? Value, int Partition, string? Error);

/// <summary>Makes JSON objects records of one source: checked against its Avro schema, its key and the future that it allows. Thread-safe.</summary>
internal sealed class EventIntake(SourceDefinition source, int schemaId)
{
    private readonly AvroEncoder encoder = new(source.AvroSchema);
    private readonly int[] keyColumns = [.. source.KeyFields.Select(source.Schema.IndexOf)];
    private readonly long maxFutureSkewUs = TimeGrid.ToMicros(source.MaxFutureSkew);
    private readonly ConcurrentBag<Scratch> idle = [];

    public SourceDefinition Source => source;

    public IntakeRecord Read(ReadOnlySpan<byte> json, long arrivalTimeUs)
    {
        if (!idle.TryTake(out var scratch))
            scratch = new Scratch(encoder, new EventDecoder(source.AvroSchema, source, source.Schema), new EventBatch(source.Schema, 1));
        try
        {
            return Read(json, arrivalTimeUs, scratch);
        }
        finally
        {
            idle.Add(scratch);
        }
    }

    private IntakeRecord Read(ReadOnlySpan<byte> json, long arrivalTimeUs, Scratch scratch)
    {
        scratch.Clear();
        if (!encoder.TryReadJson(json, scratch.Values, out var error) || !encoder.TryWrite(scratch.Values, schemaId, scratch.Output, out error))
            return new IntakeRecord(null, null, 0, error);
        // Read back as every reader will: the key and the time are then what they see.
        if (!scratch.Decoder.TryDecode(scratch.Output.WrittenSpan[ConfluentWire.HeaderLength..], scratch.Batch, scratch.Batch.NextRow(), out var eventTimeUs, out error))
            return new IntakeRecord(null, null, 0, error);
        if (eventTimeUs > arrivalTimeUs + maxFutureSkewUs)
            return new IntakeRecord(null, null, 0, $"the event time {TimeGrid.Format(eventTimeUs)} is more than {Durations.Format(source.MaxFutureSkew)} after its arrival at {TimeGrid.Format(arrivalTimeUs)}; check the sender's clock, or raise maxFutureSkew of source '{source.Name}'");
        var lane = EntityKey.Append(scratch.Keys, scratch.Batch, keyColumns, 0);
        var key = lane < 0 ? null : scratch.Keys.Slice(lane).ToArray();
        return new IntakeRecord(key, scratch.Output.WrittenSpan.ToArray(), KeyPartitioner.PartitionOf(key, source.Partitions), null);
    }

    private sealed record Scratch(AvroEncoder Encoder, EventDecoder Decoder, EventBatch Batch)
    {
        public RecordValues Values { get; } = Encoder.NewValues();

        public ArrayBufferWriter<byte> Output { get; } = new(256);

        public Utf8Arena Keys { get; } = new(64);

        public void Clear()
        {
            Values.Clear();
            Output.ResetWrittenCount();
            Keys.Clear();
            Batch.Clear();
        }
    }
}
