using StreamMl.Shared.Events;

namespace StreamMl.FeatureEngine.Expressions;

/// <summary>Arithmetic on lanes. Integer overflow, division by zero and whatever is not a number give null; infinities stay.</summary>
internal static class NumberLanes
{
    private static double D(long lane) => BitConverter.Int64BitsToDouble(lane);

    private static bool Give(double value, out long result)
    {
        result = BitConverter.DoubleToInt64Bits(value);
        return !double.IsNaN(value);
    }

    public readonly struct AddInt : IBinaryLane
    {
        public static bool TryApply(Utf8Arena arena, long a, long b, out long result)
        {
            result = unchecked(a + b);
            return ((a ^ result) & (b ^ result)) >= 0;
        }
    }

    public readonly struct SubtractInt : IBinaryLane
    {
        public static bool TryApply(Utf8Arena arena, long a, long b, out long result)
        {
            result = unchecked(a - b);
            return ((a ^ b) & (a ^ result)) >= 0;
        }
    }

    public readonly struct MultiplyInt : IBinaryLane
    {
        public static bool TryApply(Utf8Arena arena, long a, long b, out long result) => Math.BigMul(a, b, out result) == result >> 63;
    }

    public readonly struct RemainderInt : IBinaryLane
    {
        public static bool TryApply(Utf8Arena arena, long a, long b, out long result)
        {
            // The processor traps on least % -1, whose answer is 0.
            result = b is 0 or -1 ? 0 : a % b;
            return b != 0;
        }
    }

    public readonly struct Add : IBinaryLane
    {
        public static bool TryApply(Utf8Arena arena, long a, long b, out long result) => Give(D(a) + D(b), out result);
    }

    public readonly struct Subtract : IBinaryLane
    {
        public static bool TryApply(Utf8Arena arena, long a, long b, out long result) => Give(D(a) - D(b), out result);
    }

    public readonly struct Multiply : IBinaryLane
    {
        public static bool TryApply(Utf8Arena arena, long a, long b, out long result) => Give(D(a) * D(b), out result);
    }

    public readonly struct Divide : IBinaryLane
    {
        public static bool TryApply(Utf8Arena arena, long a, long b, out long result) => Give(D(a) / D(b), out result) && D(b) != 0;
    }

    public readonly struct Remainder : IBinaryLane
    {
        public static bool TryApply(Utf8Arena arena, long a, long b, out long result) => Give(D(a) % D(b), out result);
    }

    /// <summary>Seconds from b to a, both timestamps.</summary>
    public readonly struct SecondsBetween : IBinaryLane
    {
        public static bool TryApply(Utf8Arena arena, long a, long b, out long result) =>
            Give(0, out result) && SubtractInt.TryApply(arena, a, b, out var micros) && Give(micros / 1e6, out result);
    }

    public readonly struct NegateInt : IUnaryLane
    {
        public static bool TryApply(Utf8Arena arena, long a, out long result) => SubtractInt.TryApply(arena, 0, a, out result);
    }

    public readonly struct Negate : IUnaryLane
    {
        public static bool TryApply(Utf8Arena arena, long a, out long result) => Give(-D(a), out result);
    }

    public readonly struct AbsInt : IUnaryLane
    {
        public static bool TryApply(Utf8Arena arena, long a, out long result) => a >= 0 ? (result = a) >= 0 : NegateInt.TryApply(arena, a, out result);
    }

    public readonly struct Abs : IUnaryLane
    {
        public static bool TryApply(Utf8Arena arena, long a, out long result) => Give(Math.Abs(D(a)), out result);
    }

    public readonly struct ToFloat : IUnaryLane
    {
        public static bool TryApply(Utf8Arena arena, long a, out long result) => Give(a, out result);
    }

    public readonly struct Floor : IUnaryLane
    {
        public static bool TryApply(Utf8Arena arena, long a, out long result) => Give(Math.Floor(D(a)), out result);
    }

    public readonly struct Ceiling : IUnaryLane
    {
        public static bool TryApply(Utf8Arena arena, long a, out long result) => Give(Math.Ceiling(D(a)), out result);
    }

    /// <summary>Halves go away from zero, as in SQL.</summary>
    public readonly struct Round : IUnaryLane
    {
        public static bool TryApply(Utf8Arena arena, long a, out long result) => Give(Math.Round(D(a), MidpointRounding.AwayFromZero), out result);
    }

    public readonly struct Log : IUnaryLane
    {
        public static bool TryApply(Utf8Arena arena, long a, out long result) => Give(Math.Log(D(a)), out result);
    }

    public readonly struct Exp : IUnaryLane
    {
        public static bool TryApply(Utf8Arena arena, long a, out long result) => Give(Math.Exp(D(a)), out result);
    }

    public readonly struct SquareRoot : IUnaryLane
    {
        public static bool TryApply(Utf8Arena arena, long a, out long result) => Give(Math.Sqrt(D(a)), out result);
    }

    /// <summary>True to false and back.</summary>
    public readonly struct Not : IUnaryLane
    {
        public static bool TryApply(Utf8Arena arena, long a, out long result) => (result = a ^ 1) >= 0;
    }
}
