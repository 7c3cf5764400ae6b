using System.Runtime.CompilerServices;
using StreamMl.Shared.Features;

namespace StreamMl.ModelEngine.Steps;

/// <summary>One operation of a compiled pipeline: reads the row or registers, writes registers. Immutable; thread-safe.</summary>
internal abstract class EncodeOp
{
    public abstract void Run(FeatureRow row, double[] registers, EncodeScratch scratch);

    /// <summary>Writes 1 at <paramref name="index"/> of the registers from <paramref name="first"/> on and 0 elsewhere; -1 is nowhere.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    protected static void SetOne(double[] registers, int first, int count, int index)
    {
        registers.AsSpan(first, count).Clear();
        if (index >= 0)
            registers[first + index] = 1;
    }
}

/// <summary>Numbers and booleans of the row into registers; a null is NaN.</summary>
internal sealed class LoadOp(int[] columns, int[] targets, bool[] floating) : EncodeOp
{
    public override void Run(FeatureRow row, double[] registers, EncodeScratch scratch)
    {
        var lanes = row.Lanes;
        var valid = row.Valid;
        for (var i = 0; i < columns.Length; i++)
        {
            var column = columns[i];
            registers[targets[i]] = valid[column] == 0 ? double.NaN : floating[i] ? BitConverter.Int64BitsToDouble(lanes[column]) : lanes[column];
        }
    }
}
