using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using StreamMl.Shared.Definitions;
using StreamMl.Shared.Events;

namespace StreamMl.Infrastructure.Avro;

/// <summary>
/// Decodes records of one writer schema into the columns of a batch, by Avro's schema resolution against the source's schema. Compiled once to
/// instructions, and to machine code once it has met many rows: a row costs no allocation. Fields that the batch has no column for are skipped. Thread-safe (one batch per thread).
/// </summary>
public sealed class EventDecoder
{
    /// <summary>Machine code takes 2 ms to make, as long as so many rows take to be interpreted; a decoder that has met them will meet more.</summary>
    private const int DefaultCompileAfter = 100_000;

    private readonly DecodeProgram program;
    private readonly int compileAfter;
    private readonly AvroType writer;
    private EventSchema lastAccepted;
    private DecodeBody? code;
    private int interpreted;

    /// <param name="writerSchemaJson">The schema that the records were written with.</param>
    /// <param name="source">Its <see cref="SourceDefinition.AvroSchema"/> is the reader's; gives the event time field as well.</param>
    /// <param name="batchSchema">The columns that are wanted: a projection of the source's <see cref="SourceDefinition.Schema"/>.</param>
    /// <exception cref="AvroSchemaException">Not Avro, or the writer's records cannot be read as the source's.</exception>
    public EventDecoder(string writerSchemaJson, SourceDefinition source, EventSchema batchSchema)
        : this(writerSchemaJson, source, batchSchema, DefaultCompileAfter)
    {
    }

    /// <param name="writerSchemaJson">The writer's.</param>
    /// <param name="source">The reader's.</param>
    /// <param name="batchSchema">The columns that are wanted.</param>
    /// <param name="compileAfter">Rows that are interpreted before machine code is made of the program (<see cref="DecodeCode"/>); 0: none.</param>
    internal EventDecoder(string writerSchemaJson, SourceDefinition source, EventSchema batchSchema, int compileAfter)
    {
        this.compileAfter = compileAfter;
        writer = AvroTypeParser.ParseRecord(writerSchemaJson);
        var reader = AvroTypeParser.ParseRecord(source.AvroSchema);
        program = ProgramCompiler.Compile(writer, reader, batchSchema, source.EventTimeField);
        BatchSchema = lastAccepted = batchSchema;
        if (compileAfter == 0)
            CountInterpreted();
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
            var text = code is null ? null : code(source, source + body.Length, row, to, ref MemoryMarshal.GetReference(batch.LanePointers), ref state);
            var failure = DecodeError.None;
            if (text == null)
            {
                CountInterpreted();
                failure = DecodeRun.Execute(source, source + body.Length, row, to, ref state);
                text = state.To;
            }

            if (failure == DecodeError.None)
            {
                arena.Commit((int)(text - to));
                eventTimes[row] = eventTimeUs = state.EventTimeUs;
                error = null;
                return true;
            }

            eventTimeUs = 0;
            error = DecodeMessages.Describe(program, failure, state.ErrorOp, (int)(state.At - source), body);
            return false;
        }
    }

    /// <summary>A benign race: threads that compile at once make the same.</summary>
    private void CountInterpreted()
    {
        if (interpreted < 0 || ++interpreted < compileAfter)
            return;
        // Where there is none it is not asked for again.
        interpreted = int.MinValue;
        code = DecodeCode.Compile(program);
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
