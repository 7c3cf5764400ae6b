using System.Runtime.CompilerServices;
using StreamMl.Shared.Events;

namespace StreamMl.Infrastructure.Avro;

/// <summary>The instructions that few events have; see <see cref="DecodeRun"/>.</summary>
internal static unsafe class DecodeRare
{
    /// <summary>Runs one instruction: moves the state's positions, or says why it cannot and leaves the body's position at the cause.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static DecodeError Execute(in DecodeOp op, byte* end, EventColumn column, int row, ref DecodeState state)
    {
        switch (op.Code)
        {
            case OpCode.SkipNode:
                var at = state.At;
                var error = state.Program.Nodes[op.Arg].Skip(ref at, end, 0);
                state.At = at;
                return error;
            case OpCode.Float:
                if (end - state.At < sizeof(float))
                    return DecodeError.Truncated;
                column.Set(row, (double)Unsafe.ReadUnaligned<float>(state.At));
                state.At += sizeof(float);
                return DecodeError.None;
            case OpCode.Null:
                return SetNull(op, column, row);
            case OpCode.Jump:
                state.Leap = op.Arg;
                return DecodeError.None;
            case OpCode.ConstantLane:
                return Set(column, row, state.Program.Lanes[op.Arg]);
            case OpCode.ConstantText:
                return SetText(state.Program.Texts[op.Arg], column, row, ref state);
            case OpCode.Fail:
                return DecodeError.Unresolvable;
            default:
                return ExecuteNumber(op, end, column, row, ref state);
        }
    }

    private static DecodeError ExecuteNumber(in DecodeOp op, byte* end, EventColumn column, int row, ref DecodeState state)
    {
        var at = state.At;
        if (!Varint.TryRead(ref at, end, out var value))
            return Varint.ErrorAt(at, end);
        var error = op.Code switch
        {
            OpCode.IntAsDouble or OpCode.IntAsFloat when value != (int)value => DecodeError.IntRange,
            OpCode.IntAsDouble or OpCode.LongAsDouble => Set(column, row, (double)value),
            OpCode.IntAsFloat or OpCode.LongAsFloat => Set(column, row, (double)(float)value),
            OpCode.Enum => SetSymbol(state.Program.Enums[op.Arg], value, column, row, ref state),
            OpCode.NullCheck => CheckNull(op, value, column, row, ref state),
            OpCode.Union => Branch(op, value, ref state),
            _ => throw new InvalidOperationException($"no instruction {op.Code}"),
        };
        if (error == DecodeError.None)
            state.At = at;
        return error;
    }

    private static DecodeError CheckNull(in DecodeOp op, long branch, EventColumn column, int row, ref DecodeState state)
    {
        if (branch == 1 - op.Arg)
            return DecodeError.None;
        if (branch != op.Arg)
            return DecodeError.Branch;
        state.Leap = 1;
        return SetNull(op, column, row);
    }

    private static DecodeError Branch(in DecodeOp op, long branch, ref DecodeState state)
    {
        if ((ulong)branch >= (ulong)op.Arg)
            return DecodeError.Branch;
        state.Leap = 2 * (int)branch;
        return DecodeError.None;
    }

    private static DecodeError SetNull(in DecodeOp op, EventColumn column, int row)
    {
        if (!op.NullAllowed)
            return DecodeError.NullValue;
        column.SetNull(row);
        return DecodeError.None;
    }

    private static DecodeError SetSymbol(byte[]?[] symbols, long index, EventColumn column, int row, ref DecodeState state) =>
        (ulong)index < (ulong)symbols.Length && symbols[index] is { } symbol ? SetText(symbol, column, row, ref state) : DecodeError.Symbol;

    private static DecodeError SetText(byte[] text, EventColumn column, int row, ref DecodeState state)
    {
        text.CopyTo(new Span<byte>(state.To, text.Length));
        column.Set(row, Utf8Arena.Pack((int)(state.To - state.Origin), text.Length));
        state.To += text.Length;
        return DecodeError.None;
    }

    private static DecodeError Set(EventColumn column, int row, long lane)
    {
        column.Set(row, lane);
        return DecodeError.None;
    }

    private static DecodeError Set(EventColumn column, int row, double value)
    {
        column.Set(row, value);
        return DecodeError.None;
    }
}
