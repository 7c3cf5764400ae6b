using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace StreamMl.Infrastructure.Avro;

/// <summary>
/// What <see cref="DecodeCode"/> strings together: one step an instruction, as <see cref="DecodeRun"/> has it, which says only whether it went well. All are inlined into the code of a
/// schema, where columns and units are constants. Safety: as of <see cref="DecodeRun"/>.
/// </summary>
internal static unsafe class DecodeSteps
{
    /// <summary>What <see cref="NullCheck"/> finds.</summary>
    public const int Value = 0;
    public const int Null = 1;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Long(ref byte* at, byte* end, nint row, ref nint lanes, int column)
    {
        if (!Varint.TryReadWide(ref at, end, out var value))
            return false;
        Set(ref lanes, column, row, value);
        return true;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Int(ref byte* at, byte* end, nint row, ref nint lanes, int column)
    {
        if (!Varint.TryReadWide(ref at, end, out var value) || value != (int)value)
            return false;
        Set(ref lanes, column, row, value);
        return true;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Double(ref byte* at, byte* end, nint row, ref nint lanes, int column)
    {
        if (end - at < sizeof(double))
            return false;
        Set(ref lanes, column, row, Unsafe.ReadUnaligned<long>(at));
        at += sizeof(double);
        return true;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Boolean(ref byte* at, byte* end, nint row, ref nint lanes, int column)
    {
        if (at >= end || *at > 1)
            return false;
        Set(ref lanes, column, row, *at++);
        return true;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Text(ref byte* at, byte* end, nint row, ref nint lanes, int column, ref byte* to, ref DecodeState state)
    {
        if (!Varint.TryReadLength(ref at, end, out var length) || (ulong)length > (ulong)(end - at))
            return false;
        if (DecodeRun.TryCopyShort(at, to, length, end - at))
        {
            Set(ref lanes, column, row, ((long)(to - state.Origin) << 32) | length);
            at += length;
            to += length;
            return true;
        }

        // Another variable: one that lives across a call lives on the stack, and the next field's position waits for it.
        var copied = DecodeRun.CopyAny(at, to, (int)length);
        if (copied < 0)
            return false;
        Set(ref lanes, column, row, ((long)(to - state.Origin) << 32) | copied);
        at += copied;
        to += copied;
        return true;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Timestamp(ref byte* at, byte* end, nint row, ref nint lanes, int column, int unit)
    {
        if (!Varint.TryReadWide(ref at, end, out var value) || !TimeUnit.TryToMicros(unit, ref value))
            return false;
        Set(ref lanes, column, row, value);
        return true;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool EventTime(ref byte* at, byte* end, nint row, ref nint lanes, int column, int unit, ref DecodeState state)
    {
        if (!Varint.TryReadWide(ref at, end, out var value) || !TimeUnit.TryToMicros(unit, ref value))
            return false;
        state.EventTimeUs = value;
        if (column >= 0)
            Set(ref lanes, column, row, value);
        return true;
    }

    /// <returns><see cref="Value"/>, <see cref="Null"/>, or less than both: neither, in the one byte that it usually takes.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int NullCheck(ref byte* at, byte* end, int nullBranch)
    {
        if (at >= end || *at > 2 || *at == 1)
            return -1;
        return *at++ >> 1 == nullBranch ? Null : Value;
    }

    public static void SetNull(ref DecodeState state, int column, nint row) => state.Batch.ColumnSpan[column].SetNull((int)row);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void SetValid(ref DecodeState state, int column, nint row) =>
        Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(Unsafe.Add(ref MemoryMarshal.GetReference(state.Batch.ColumnSpan), column).Valid), row) = 1;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool SkipVarint(ref byte* at, byte* end) => Varint.TryReadWide(ref at, end, out _);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool SkipFixed(ref byte* at, byte* end, int length)
    {
        if (end - at < length)
            return false;
        at += length;
        return true;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool SkipText(ref byte* at, byte* end)
    {
        if (!Varint.TryReadLength(ref at, end, out var length) || (ulong)length > (ulong)(end - at))
            return false;
        at += length;
        return true;
    }

    /// <summary>Any other instruction but those that jump. Positions go by the state, because a variable whose address is taken lives on the stack in all steps.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Rare(ref byte* at, byte* end, nint row, int op, ref byte* to, ref DecodeState state)
    {
        state.At = at;
        state.To = to;
        if (!Execute(end, row, op, ref state))
            return false;
        at = state.At;
        to = state.To;
        return true;
    }

    private static bool Execute(byte* end, nint row, int op, ref DecodeState state)
    {
        ref readonly var of = ref state.Program.Ops[op];
        return DecodeRare.Execute(in of, end, of.Column < 0 ? null! : state.Batch.ColumnSpan[of.Column], (int)row, ref state) == DecodeError.None;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Set(ref nint lanes, int column, nint row, long lane) => ((long*)Unsafe.Add(ref lanes, column))[row] = lane;
}
