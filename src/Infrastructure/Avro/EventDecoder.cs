using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using StreamMl.Shared.Definitions;
using StreamMl.Shared.Events;

namespace StreamMl.Infrastructure.Avro;

/// <summary>
/// Decodes records of one writer schema into the columns of a batch, by Avro's schema resolution against the source's schema. Compiled once:
/// a row costs no allocation. Fields that the batch has no column for are skipped. Immutable; thread-safe (one batch per thread).
/// </summary>
public sealed class EventDecoder
{
    private readonly DecodeProgram program;
    private readonly AvroType writer;
    private EventSchema lastAccepted;

    /// <param name="writerSchemaJson">The schema that the records were written with.</param>
    /// <param name="source">Its <see cref="SourceDefinition.AvroSchema"/> is the reader's; gives the event time field as well.</param>
    /// <param name="batchSchema">The columns that are wanted: a projection of the source's <see cref="SourceDefinition.Schema"/>.</param>
    /// <exception cref="AvroSchemaException">Not Avro, or the writer's records cannot be read as the source's.</exception>
    public EventDecoder(string writerSchemaJson, SourceDefinition source, EventSchema batchSchema)
    {
        writer = AvroTypeParser.ParseRecord(writerSchemaJson);
        var reader = AvroTypeParser.ParseRecord(source.AvroSchema);
        program = ProgramCompiler.Compile(writer, reader, batchSchema, source.EventTimeField);
        BatchSchema = lastAccepted = batchSchema;
    }

    /// <summary>The columns that batches must have.</summary>
    public EventSchema BatchSchema { get; }

    /// <summary>
    /// Decodes one Avro body (without the wire format's header) into row <paramref name="row"/>, which must be below the batch's capacity
    /// (<see cref="EventBatch.NextRow"/>). Does not change <see cref="EventBatch.Count"/>. Sets the row of every column and of
    /// <see cref="EventBatch.EventTimesUs"/>. Data never makes it throw: malformed, truncated or overlong data, a null or impossible time
    /// and text that is not UTF-8 return false with a reason that names field and byte, and leave the arena as it was.
    /// </summary>
    /// <exception cref="ArgumentException">The batch has other columns than <see cref="BatchSchema"/>, or no such row.</exception>
    [SkipLocalsInit]
    public unsafe bool TryDecode(ReadOnlySpan<byte> body, EventBatch batch, int row, out long eventTimeUs, out string? error)
    {
        if (batch.Schema != lastAccepted)
            CheckColumns(batch.Schema);
        var eventTimes = batch.EventTimesUs;
        if ((uint)row >= (uint)eventTimes.Length)
            throw new ArgumentOutOfRangeException(nameof(row), row, $"the batch holds {eventTimes.Length} rows; take the row from EventBatch.NextRow");
        var arena = batch.Arena;
        fixed (byte* source = &MemoryMarshal.GetReference(body), to = &arena.Room(body.Length + program.ExtraText + DecodeRun.TextSlack))
        {
            Unsafe.SkipInit(out DecodeState state);
            state.Program = program;
            state.Batch = batch;
            state.Origin = to - arena.Length;
            state.EventTimeUs = 0;
            var failure = DecodeRun.Execute(source, source + body.Length, row, to, ref state);
            if (failure == DecodeError.None)
            {
                arena.Commit((int)(state.To - to));
                eventTimes[row] = eventTimeUs = state.EventTimeUs;
                error = null;
                return true;
            }

            eventTimeUs = 0;
            error = DecodeMessages.Describe(program, failure, state.ErrorOp, (int)(state.At - source), body);
            return false;
        }
    }

    private void CheckColumns(EventSchema schema)
    {
        var same = schema.Fields.Count == BatchSchema.Fields.Count
            && schema.Fields.Zip(BatchSchema.Fields).All(f => f.First.Name == f.Second.Name && f.First.Type == f.Second.Type && f.First.Nullable == f.Second.Nullable);
        if (!same)
        {
            throw new ArgumentException(
                $"the batch has columns {string.Join(", ", schema.Fields.Select(f => f.Name))}, the decoder was compiled for {string.Join(", ", BatchSchema.Fields.Select(f => f.Name))}; make the batch from EventDecoder.BatchSchema");
        }

        // A benign race: any accepted schema will do.
        lastAccepted = schema;
    }
}
