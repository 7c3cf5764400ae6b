using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Text.Unicode;
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
    public bool TryDecode(ReadOnlySpan<byte> body, EventBatch batch, int row, out long eventTimeUs, out string? error)
    {
        if (batch.Schema != lastAccepted)
            CheckColumns(batch.Schema);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)row, (uint)batch.EventTimesUs.Length, nameof(row));
        var arena = batch.Arena;
        var mark = arena.Length;
        var text = arena.Reserve(body.Length + program.ExtraText + Vector128<byte>.Count);
        var result = default(Result);
        var failure = Run(program, body, batch.ColumnSpan, row, text, mark, ref result);
        if (failure == DecodeError.None)
        {
            arena.Truncate(mark + result.Text);
            batch.EventTimesUs[row] = eventTimeUs = result.EventTimeUs;
            error = null;
            return true;
        }

        arena.Truncate(mark);
        eventTimeUs = 0;
        error = DecodeMessages.Describe(program, failure, result.Op, result.At, body);
        return false;
    }

    private static DecodeError Run(
        DecodeProgram program, ReadOnlySpan<byte> body, ReadOnlySpan<EventColumn> columns, int row, Span<byte> text, int textStart, ref Result result)
    {
        ref var source = ref MemoryMarshal.GetReference(body);
        ref var to = ref MemoryMarshal.GetReference(text);
        var ops = program.Ops;
        nint at = 0;
        nint end = body.Length;
        var used = 0;
        var eventTimeUs = 0L;
        var pc = 0;
        DecodeError error;
        for (; pc < ops.Length; pc++)
        {
            ref readonly var op = ref ops[pc];
            long value;
            switch (op.Code)
            {
                case OpCode.Long:
                    error = Varint.TryReadWide(ref source, ref at, end, out value);
                    if (error != DecodeError.None)
                        goto Failed;
                    columns[op.Column].Set(row, value);
                    break;
                case OpCode.Int:
                    error = Varint.TryReadWide(ref source, ref at, end, out value);
                    if (error != DecodeError.None)
                        goto Failed;
                    if (value != (int)value)
                        goto IntRange;
                    columns[op.Column].Set(row, value);
                    break;
                case OpCode.Double:
                    if (end - at < sizeof(double))
                        goto Truncated;
                    columns[op.Column].Set(row, Unsafe.ReadUnaligned<long>(ref Unsafe.Add(ref source, at)));
                    at += sizeof(double);
                    break;
                case OpCode.Text:
                    error = Varint.TryRead(ref source, ref at, end, out value);
                    if (error != DecodeError.None)
                        goto Failed;
                    if ((ulong)value > (ulong)(end - at))
                        goto BadLength;
                    if (!CopyText(ref Unsafe.Add(ref source, at), ref Unsafe.Add(ref to, used), (int)value, end - at))
                        goto Utf8;
                    columns[op.Column].Set(row, Utf8Arena.Pack(textStart + used, (int)value));
                    at += (nint)value;
                    used += (int)value;
                    break;
                case OpCode.Boolean:
                    if (at >= end)
                        goto Truncated;
                    value = Unsafe.Add(ref source, at);
                    if (value > 1)
                        goto BooleanByte;
                    columns[op.Column].Set(row, value);
                    at++;
                    break;
                case OpCode.Timestamp or OpCode.EventTime:
                    error = Varint.TryReadWide(ref source, ref at, end, out value);
                    if (error != DecodeError.None)
                        goto Failed;
                    if (!TimeUnit.All[op.Arg].TryToMicros(value, out value))
                        goto TimeRange;
                    if (op.Code == OpCode.EventTime)
                        eventTimeUs = value;
                    if (op.Column >= 0)
                        columns[op.Column].Set(row, value);
                    break;
                case OpCode.NullCheck:
                    error = Varint.TryRead(ref source, ref at, end, out value);
                    if (error != DecodeError.None)
                        goto Failed;
                    if (value == op.Arg)
                    {
                        if (!op.NullAllowed)
                            goto NullValue;
                        columns[op.Column].SetNull(row);
                        pc++;
                    }
                    else if (value != 1 - op.Arg)
                    {
                        goto Branch;
                    }

                    break;
                case OpCode.SkipVarints:
                    for (var i = op.Arg; i > 0; i--)
                    {
                        error = Varint.TryReadWide(ref source, ref at, end, out _);
                        if (error != DecodeError.None)
                            goto Failed;
                    }

                    break;
                case OpCode.SkipFixed:
                    if (end - at < op.Arg)
                        goto Truncated;
                    at += op.Arg;
                    break;
                case OpCode.SkipText:
                    error = Varint.TryRead(ref source, ref at, end, out value);
                    if (error != DecodeError.None)
                        goto Failed;
                    if ((ulong)value > (ulong)(end - at))
                        goto BadLength;
                    at += (nint)value;
                    break;
                case OpCode.SkipNode:
                    error = program.Nodes[op.Arg].Skip(ref source, at, end, 0, out var next);
                    at = next;
                    if (error != DecodeError.None)
                        goto Failed;
                    break;
                case OpCode.Float:
                    if (end - at < sizeof(float))
                        goto Truncated;
                    columns[op.Column].Set(row, (double)Unsafe.ReadUnaligned<float>(ref Unsafe.Add(ref source, at)));
                    at += sizeof(float);
                    break;
                case OpCode.IntAsDouble or OpCode.LongAsDouble or OpCode.IntAsFloat or OpCode.LongAsFloat:
                    error = Varint.TryRead(ref source, ref at, end, out value);
                    if (error != DecodeError.None)
                        goto Failed;
                    if (op.Code is OpCode.IntAsDouble or OpCode.IntAsFloat && value != (int)value)
                        goto IntRange;
                    columns[op.Column].Set(row, op.Code is OpCode.IntAsFloat or OpCode.LongAsFloat ? (double)(float)value : (double)value);
                    break;
                case OpCode.Enum:
                    error = Varint.TryRead(ref source, ref at, end, out value);
                    if (error != DecodeError.None)
                        goto Failed;
                    var symbols = program.Enums[op.Arg];
                    if ((ulong)value >= (ulong)symbols.Length || symbols[value] is not { } symbol)
                        goto Symbol;
                    columns[op.Column].Set(row, Utf8Arena.Pack(textStart + used, symbol.Length));
                    symbol.CopyTo(text[used..]);
                    used += symbol.Length;
                    break;
                case OpCode.Null:
                    if (!op.NullAllowed)
                        goto NullValue;
                    columns[op.Column].SetNull(row);
                    break;
                case OpCode.Union:
                    error = Varint.TryRead(ref source, ref at, end, out value);
                    if (error != DecodeError.None)
                        goto Failed;
                    if ((ulong)value >= (ulong)op.Arg)
                        goto Branch;
                    pc += 2 * (int)value;
                    break;
                case OpCode.Jump:
                    pc = op.Arg - 1;
                    break;
                case OpCode.ConstantLane:
                    columns[op.Column].Set(row, program.Lanes[op.Arg]);
                    break;
                case OpCode.ConstantText:
                    var constant = program.Texts[op.Arg];
                    columns[op.Column].Set(row, Utf8Arena.Pack(textStart + used, constant.Length));
                    constant.CopyTo(text[used..]);
                    used += constant.Length;
                    break;
                default:
                    error = DecodeError.Unresolvable;
                    goto Failed;
            }
        }

        if (at == end)
        {
            result.EventTimeUs = eventTimeUs;
            result.Text = used;
            return DecodeError.None;
        }

        error = DecodeError.Trailing;
        goto Failed;
    Truncated:
        error = DecodeError.Truncated;
        goto Failed;
    IntRange:
        error = DecodeError.IntRange;
        goto Failed;
    BooleanByte:
        error = DecodeError.BooleanByte;
        goto Failed;
    BadLength:
        error = DecodeError.Length;
        goto Failed;
    Utf8:
        error = DecodeError.Utf8;
        goto Failed;
    TimeRange:
        error = DecodeError.TimeRange;
        goto Failed;
    NullValue:
        error = DecodeError.NullValue;
        goto Failed;
    Branch:
        error = DecodeError.Branch;
        goto Failed;
    Symbol:
        error = DecodeError.Symbol;
    Failed:
        result.Op = pc;
        result.At = at;
        return error;
    }

    /// <summary>
    /// Copies <paramref name="length"/> bytes and says whether they are UTF-8. Short ASCII, nearly all of what events hold, goes through one or
    /// two registers. <paramref name="readable"/> (at least the length) bytes can be read; 16 more than the length can be written.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool CopyText(ref byte from, ref byte to, int length, nint readable)
    {
        if (length <= 16 && readable >= 16)
        {
            var bytes = Vector128.LoadUnsafe(ref from);
            bytes.StoreUnsafe(ref to);
            if ((bytes.ExtractMostSignificantBits() & ((1u << length) - 1)) == 0)
                return true;
        }
        else if (length is >= 16 and <= 32)
        {
            var head = Vector128.LoadUnsafe(ref from);
            var tail = Vector128.LoadUnsafe(ref from, (nuint)length - 16);
            head.StoreUnsafe(ref to);
            tail.StoreUnsafe(ref to, (nuint)length - 16);
            if ((head | tail).ExtractMostSignificantBits() == 0)
                return true;
        }

        return CopyAny(ref from, ref to, length);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static bool CopyAny(ref byte from, ref byte to, int length)
    {
        var text = MemoryMarshal.CreateReadOnlySpan(ref from, length);
        text.CopyTo(MemoryMarshal.CreateSpan(ref to, length));
        return Utf8.IsValid(text);
    }

    private void CheckColumns(EventSchema schema)
    {
        var same = schema.Fields.Count == BatchSchema.Fields.Count
            && schema.Fields.Zip(BatchSchema.Fields).All(f => f.First.Name == f.Second.Name && f.First.Type == f.Second.Type);
        if (!same)
        {
            throw new ArgumentException(
                $"the batch has columns {string.Join(", ", schema.Fields.Select(f => f.Name))}, the decoder was compiled for {string.Join(", ", BatchSchema.Fields.Select(f => f.Name))}; make the batch from EventDecoder.BatchSchema");
        }

        // A benign race: any accepted schema will do.
        lastAccepted = schema;
    }

    private struct Result
    {
        public long EventTimeUs;
        public int Text;
        public int Op;
        public nint At;
    }
}
