using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Text.Unicode;
using StreamMl.Shared.Events;

namespace StreamMl.Infrastructure.Avro;

/// <summary>
/// Runs a <see cref="DecodeProgram"/> over one body. The hot loop keeps its whole state in registers: whatever is rare, or would take the
/// address of a local, is in <see cref="DecodeRare"/>. Safety: body and text are pinned by the caller; every read of the body stands behind a
/// comparison with <c>end</c>; the text span has room for the body's length, the program's extra text and <see cref="TextSlack"/> bytes, and what is written
/// to it comes from the body (each byte once) or from the extra text; columns are compiled against the batch's schema, and their lanes are pinned.
/// </summary>
internal static unsafe class DecodeRun
{
    /// <summary>Short texts are copied as whole registers: so many bytes may be written behind the last one.</summary>
    public const int TextSlack = 16;

    /// <param name="at">The body.</param>
    /// <param name="end">Behind its last byte.</param>
    /// <param name="row">The row to set; the batch holds it.</param>
    /// <param name="to">Where text goes.</param>
    /// <param name="state">In: the program, the batch and <see cref="DecodeState.Origin"/>. Out: how it ended.</param>
    public static DecodeError Execute(byte* at, byte* end, nint row, byte* to, ref DecodeState state)
    {
        ref var op = ref MemoryMarshal.GetArrayDataReference(state.Program.Ops);
        ref var lanes = ref MemoryMarshal.GetReference(state.Batch.LanePointers);
        DecodeError error;
        for (; ; op = ref Unsafe.Add(ref op, 1))
        {
            long value;
            switch (op.Code)
            {
                case OpCode.Long:
                    if (!Varint.TryReadWide(ref at, end, out value))
                        goto BadNumber;
                    Set(ref lanes, op.Column, row, value);
                    // Runs of one kind are common, and a comparison is cheaper than the jump table.
                    if (Unsafe.Add(ref op, 1).Code != OpCode.Long)
                        break;
                    op = ref Unsafe.Add(ref op, 1);
                    goto case OpCode.Long;
                case OpCode.Int:
                    if (!Varint.TryReadWide(ref at, end, out value))
                        goto BadNumber;
                    if (value != (int)value)
                        goto IntRange;
                    Set(ref lanes, op.Column, row, value);
                    if (Unsafe.Add(ref op, 1).Code != OpCode.Int)
                        break;
                    op = ref Unsafe.Add(ref op, 1);
                    goto case OpCode.Int;
                case OpCode.Double:
                    if (end - at < sizeof(double))
                        goto Truncated;
                    Set(ref lanes, op.Column, row, Unsafe.ReadUnaligned<long>(at));
                    at += sizeof(double);
                    break;
                case OpCode.Text:
                    if (!Varint.TryReadLength(ref at, end, out value))
                        goto BadNumber;
                    if ((ulong)value > (ulong)(end - at))
                        goto BadLength;
                    if (!TryCopyShort(at, to, value, end - at) && CopyAny(at, to, (int)value) < 0)
                        goto Utf8;
                    Set(ref lanes, op.Column, row, ((long)(to - state.Origin) << 32) | value);
                    at += value;
                    to += value;
                    if (Unsafe.Add(ref op, 1).Code != OpCode.Text)
                        break;
                    op = ref Unsafe.Add(ref op, 1);
                    goto case OpCode.Text;
                case OpCode.Boolean:
                    if (at >= end)
                        goto Truncated;
                    if (*at > 1)
                        goto BooleanByte;
                    Set(ref lanes, op.Column, row, (long)*at++);
                    break;
                case OpCode.Timestamp:
                    if (!Varint.TryReadWide(ref at, end, out value))
                        goto BadNumber;
                    if (!TimeUnit.TryToMicros(op.Arg, ref value))
                        goto TimeRange;
                    Set(ref lanes, op.Column, row, value);
                    break;
                case OpCode.EventTime:
                    if (!Varint.TryReadWide(ref at, end, out value))
                        goto BadNumber;
                    if (!TimeUnit.TryToMicros(op.Arg, ref value))
                        goto TimeRange;
                    state.EventTimeUs = value;
                    if (op.Column >= 0)
                        Set(ref lanes, op.Column, row, value);
                    break;
                case OpCode.NullCheck:
                    // A branch in more bytes than it needs is legal, and rare.
                    if (at >= end || *at > 2)
                        goto default;
                    if (*at >> 1 == op.Arg && *at != 1)
                    {
                        if (!op.NullAllowed)
                            goto NullValue;
                        Column(in state, op.Column).SetNull((int)row);
                        op = ref Unsafe.Add(ref op, 1);
                    }
                    else if (*at == 1)
                    {
                        goto Branch;
                    }
                    else if (op.NullAllowed)
                    {
                        SetValid(in state, op.Column, row);
                    }

                    at++;
                    break;
                case OpCode.SetValid:
                    SetValid(in state, op.Column, row);
                    break;
                case OpCode.SkipVarints:
                    for (var i = op.Arg; i > 0; i--)
                    {
                        if (!Varint.TryReadWide(ref at, end, out _))
                            goto BadNumber;
                    }

                    break;
                case OpCode.SkipFixed:
                    if (end - at < op.Arg)
                        goto Truncated;
                    at += op.Arg;
                    break;
                case OpCode.SkipText:
                    if (!Varint.TryReadLength(ref at, end, out value))
                        goto BadNumber;
                    if ((ulong)value > (ulong)(end - at))
                        goto BadLength;
                    at += value;
                    break;
                case OpCode.End:
                    if (at != end)
                        goto Trailing;
                    state.To = to;
                    return DecodeError.None;
                default:
                    state.At = at;
                    state.To = to;
                    state.Leap = 0;
                    error = DecodeRare.Execute(in op, end, op.Column < 0 ? null! : Column(in state, op.Column), (int)row, ref state);
                    at = state.At;
                    if (error != DecodeError.None)
                        goto Failed;
                    to = state.To;
                    op = ref Unsafe.Add(ref op, state.Leap);
                    break;
            }
        }

    BadNumber:
        error = Varint.ErrorAt(at, end);
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
    Trailing:
        error = DecodeError.Trailing;
    Failed:
        state.At = at;
        state.ErrorOp = (int)(Unsafe.ByteOffset(ref MemoryMarshal.GetArrayDataReference(state.Program.Ops), ref op) / sizeof(DecodeOp));
        return error;
    }

    /// <summary>
    /// Half of <see cref="EventColumn.Set(int, long)"/>: that there is a value was said before, by the batch for a field that cannot be null and
    /// by <see cref="SetValid"/> for others. The row was compared with the batch's capacity once for all columns.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Set(ref nint lanes, int index, nint row, long lane) => ((long*)Unsafe.Add(ref lanes, index))[row] = lane;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void SetValid(in DecodeState state, int index, nint row) =>
        Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(Column(in state, index).Valid), row) = 1;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static EventColumn Column(in DecodeState state, int index) => Unsafe.Add(ref MemoryMarshal.GetReference(state.Batch.ColumnSpan), index);

    /// <summary>
    /// Copies short ASCII, nearly all of what events hold, through one or two registers. <paramref name="readable"/> (at least the length) bytes can be read.
    /// </summary>
    /// <returns>False: it is something else, and nothing is copied that counts.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static bool TryCopyShort(byte* from, byte* to, long length, long readable)
    {
        if (length <= 16 && readable >= 16)
        {
            var bytes = Vector128.Load(from);
            bytes.Store(to);
            return (bytes.ExtractMostSignificantBits() & ((1u << (int)length) - 1)) == 0;
        }

        if (length is >= 16 and <= 32)
        {
            var head = Vector128.Load(from);
            var tail = Vector128.Load(from + length - 16);
            head.Store(to);
            tail.Store(to + length - 16);
            return (head | tail).ExtractMostSignificantBits() == 0;
        }

        return false;
    }

    /// <summary>Copies any text.</summary>
    /// <returns>Its length, so that nobody has to keep it meanwhile; less than 0: it is not UTF-8.</returns>
    [MethodImpl(MethodImplOptions.NoInlining)]
    internal static long CopyAny(byte* from, byte* to, int length)
    {
        var text = new ReadOnlySpan<byte>(from, length);
        text.CopyTo(new Span<byte>(to, length));
        return Utf8.IsValid(text) ? length : -1;
    }
}

/// <summary>What a run keeps outside its registers.</summary>
internal unsafe struct DecodeState
{
    public DecodeProgram Program;

    public EventBatch Batch;

    /// <summary>Next byte of the body; on an error the one where it was met.</summary>
    public byte* At;

    /// <summary>Behind the last byte of text.</summary>
    public byte* To;

    /// <summary>Where the arena begins, as a pointer that nobody follows: a text's difference to it is its start in the arena.</summary>
    public byte* Origin;

    public long EventTimeUs;

    /// <summary>Instructions to leave out, set by the rare ones.</summary>
    public int Leap;

    /// <summary>The instruction that met an error.</summary>
    public int ErrorOp;
}
