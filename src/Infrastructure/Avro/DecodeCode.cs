using System.Reflection;
using System.Reflection.Emit;
using System.Runtime.CompilerServices;

namespace StreamMl.Infrastructure.Avro;

/// <summary>Decodes one body by a program.</summary>
/// <param name="at">The body.</param>
/// <param name="end">Behind its last byte.</param>
/// <param name="row">The row to set; the batch holds it.</param>
/// <param name="to">Where text goes.</param>
/// <param name="lanes">The batch's.</param>
/// <param name="state">In: the batch and <see cref="DecodeState.Origin"/>. Out: the event's time.</param>
/// <returns>Behind the last byte of text; null where something is odd or wrong, which <see cref="DecodeRun"/> then finds out.</returns>
internal unsafe delegate byte* DecodeBody(byte* at, byte* end, nint row, byte* to, ref nint lanes, ref DecodeState state);

/// <summary>
/// Makes machine code of a <see cref="DecodeProgram"/>: the steps of its instructions one behind the other, without the dispatch between them, which is a fifth of the time. A program with
/// instructions that jump (unions of more than null and one type) is interpreted. Pure; thread-safe.
/// </summary>
internal static class DecodeCode
{
    /// <summary>Longer programs are interpreted: the just-in-time compiler would not inline their steps, and take long.</summary>
    private const int MaxOps = 64;

    private const int At = 1;
    private const int End = 2;
    private const int Row = 3;
    private const int To = 4;
    private const int Lanes = 5;
    private const int State = 6;

    /// <returns>Null: it is interpreted.</returns>
    public static unsafe DecodeBody? Compile(DecodeProgram program)
    {
        var ops = program.Ops;
        if (!RuntimeFeature.IsDynamicCodeCompiled || ops.Sum(o => o.Code == OpCode.SkipVarints ? (long)o.Arg : 1) > MaxOps || Array.Exists(ops, o => o.Code is OpCode.Union or OpCode.Jump))
            return null;
        // A first argument that is the delegate's target makes the call a plain one.
        var method = new DynamicMethod(
            "Decode", typeof(byte*), [typeof(object), typeof(byte*), typeof(byte*), typeof(nint), typeof(byte*), typeof(nint).MakeByRefType(), typeof(DecodeState).MakeByRefType()],
            typeof(DecodeSteps).Module, skipVisibility: true);
        var il = method.GetILGenerator();
        var odd = il.DefineLabel();
        for (var i = 0; i < ops.Length; i++)
        {
            if (ops[i].Code == OpCode.NullCheck)
            {
                EmitNullable(il, ops, i, odd);
                i++;
            }
            else
            {
                Emit(il, ops, i, odd);
            }
        }

        il.MarkLabel(odd);
        il.Emit(OpCodes.Ldc_I4_0);
        il.Emit(OpCodes.Conv_U);
        il.Emit(OpCodes.Ret);
        return method.CreateDelegate<DecodeBody>(program);
    }

    private static void EmitNullable(ILGenerator il, DecodeOp[] ops, int index, Label odd)
    {
        var check = ops[index];
        var (isNull, next) = (il.DefineLabel(), il.DefineLabel());
        var branch = il.DeclareLocal(typeof(int));
        il.Emit(OpCodes.Ldarga, At);
        il.Emit(OpCodes.Ldarg, End);
        il.Emit(OpCodes.Ldc_I4, check.Arg);
        il.Emit(OpCodes.Call, Step(nameof(DecodeSteps.NullCheck)));
        il.Emit(OpCodes.Stloc, branch);
        il.Emit(OpCodes.Ldloc, branch);
        il.Emit(OpCodes.Ldc_I4, DecodeSteps.Value);
        il.Emit(OpCodes.Blt, odd);
        il.Emit(OpCodes.Ldloc, branch);
        il.Emit(OpCodes.Brtrue, check.NullAllowed ? isNull : odd);
        if (check.NullAllowed)
            EmitState(il, nameof(DecodeSteps.SetValid), check.Column);
        Emit(il, ops, index + 1, odd);
        if (check.NullAllowed)
        {
            il.Emit(OpCodes.Br, next);
            il.MarkLabel(isNull);
            EmitState(il, nameof(DecodeSteps.SetNull), check.Column);
        }

        il.MarkLabel(next);
    }

    private static void Emit(ILGenerator il, DecodeOp[] ops, int index, Label odd)
    {
        var op = ops[index];
        switch (op.Code)
        {
            case OpCode.End:
                il.Emit(OpCodes.Ldarg, At);
                il.Emit(OpCodes.Ldarg, End);
                il.Emit(OpCodes.Bne_Un, odd);
                il.Emit(OpCodes.Ldarg, To);
                il.Emit(OpCodes.Ret);
                break;
            case OpCode.SetValid:
                EmitState(il, nameof(DecodeSteps.SetValid), op.Column);
                break;
            case OpCode.SkipVarints:
                for (var i = 0; i < op.Arg; i++)
                    EmitStep(il, nameof(DecodeSteps.SkipVarint), odd);
                break;
            case OpCode.SkipText:
                EmitStep(il, nameof(DecodeSteps.SkipText), odd);
                break;
            case OpCode.SkipFixed:
                EmitStep(il, nameof(DecodeSteps.SkipFixed), odd, () => il.Emit(OpCodes.Ldc_I4, op.Arg));
                break;
            case OpCode.Long or OpCode.Int or OpCode.Double or OpCode.Text or OpCode.Boolean or OpCode.Timestamp or OpCode.EventTime:
                EmitStep(il, op.Code.ToString(), odd, () => EmitTarget(il, op));
                break;
            default:
                EmitStep(il, nameof(DecodeSteps.Rare), odd, () =>
                {
                    il.Emit(OpCodes.Ldarg, Row);
                    il.Emit(OpCodes.Ldc_I4, index);
                    il.Emit(OpCodes.Ldarga, To);
                    il.Emit(OpCodes.Ldarg, State);
                });
                break;
        }
    }

    /// <summary>The arguments of a step that sets a lane.</summary>
    private static void EmitTarget(ILGenerator il, DecodeOp op)
    {
        il.Emit(OpCodes.Ldarg, Row);
        il.Emit(OpCodes.Ldarg, Lanes);
        il.Emit(OpCodes.Ldc_I4, (int)op.Column);
        if (op.Code == OpCode.Text)
            il.Emit(OpCodes.Ldarga, To);
        if (op.Code is OpCode.Timestamp or OpCode.EventTime)
            il.Emit(OpCodes.Ldc_I4, op.Arg);
        if (op.Code is OpCode.Text or OpCode.EventTime)
            il.Emit(OpCodes.Ldarg, State);
    }

    private static void EmitStep(ILGenerator il, string step, Label odd, Action? more = null)
    {
        il.Emit(OpCodes.Ldarga, At);
        il.Emit(OpCodes.Ldarg, End);
        more?.Invoke();
        il.Emit(OpCodes.Call, Step(step));
        il.Emit(OpCodes.Brfalse, odd);
    }

    private static void EmitState(ILGenerator il, string step, int column)
    {
        il.Emit(OpCodes.Ldarg, State);
        il.Emit(OpCodes.Ldc_I4, column);
        il.Emit(OpCodes.Ldarg, Row);
        il.Emit(OpCodes.Call, Step(step));
    }

    private static MethodInfo Step(string name) => typeof(DecodeSteps).GetMethod(name) ?? throw new InvalidOperationException($"DecodeSteps has no {name}");
}
