using StreamMl.Shared.Definitions.Expressions;
using StreamMl.Shared.Events;

namespace StreamMl.FeatureEngine.Expressions;

/// <summary>How two lanes of one type are ordered. Floats are never NaN here; strings go by their UTF-8 bytes.</summary>
internal interface ILaneOrder
{
    static abstract int Compare(Utf8Arena arena, long a, long b);
}

internal readonly struct IntegerOrder : ILaneOrder
{
    public static int Compare(Utf8Arena arena, long a, long b) => a.CompareTo(b);
}

internal readonly struct FloatOrder : ILaneOrder
{
    public static int Compare(Utf8Arena arena, long a, long b)
    {
        double x = BitConverter.Int64BitsToDouble(a), y = BitConverter.Int64BitsToDouble(b);
        return x < y ? -1 : x > y ? 1 : 0;
    }
}

internal readonly struct TextOrder : ILaneOrder
{
    public static int Compare(Utf8Arena arena, long a, long b) => arena.Slice(a).SequenceCompareTo(arena.Slice(b));
}

internal readonly struct Equal<TOrder> : IBinaryLane
    where TOrder : struct, ILaneOrder
{
    public static bool TryApply(Utf8Arena arena, long a, long b, out long result) => (result = TOrder.Compare(arena, a, b) == 0 ? 1 : 0) >= 0;
}

internal readonly struct NotEqual<TOrder> : IBinaryLane
    where TOrder : struct, ILaneOrder
{
    public static bool TryApply(Utf8Arena arena, long a, long b, out long result) => (result = TOrder.Compare(arena, a, b) != 0 ? 1 : 0) >= 0;
}

internal readonly struct Less<TOrder> : IBinaryLane
    where TOrder : struct, ILaneOrder
{
    public static bool TryApply(Utf8Arena arena, long a, long b, out long result) => (result = TOrder.Compare(arena, a, b) < 0 ? 1 : 0) >= 0;
}

internal readonly struct LessOrEqual<TOrder> : IBinaryLane
    where TOrder : struct, ILaneOrder
{
    public static bool TryApply(Utf8Arena arena, long a, long b, out long result) => (result = TOrder.Compare(arena, a, b) <= 0 ? 1 : 0) >= 0;
}

internal readonly struct Least<TOrder> : IBinaryLane
    where TOrder : struct, ILaneOrder
{
    public static bool TryApply(Utf8Arena arena, long a, long b, out long result)
    {
        result = TOrder.Compare(arena, b, a) < 0 ? b : a;
        return true;
    }
}

internal readonly struct Greatest<TOrder> : IBinaryLane
    where TOrder : struct, ILaneOrder
{
    public static bool TryApply(Utf8Arena arena, long a, long b, out long result)
    {
        result = TOrder.Compare(arena, b, a) > 0 ? b : a;
        return true;
    }
}

/// <summary>Makes comparison nodes for an order; greater-than is less-than with its sides exchanged.</summary>
internal static class Comparisons
{
    public static Node Of(BinaryOperator op, Node left, Node right) => left.Type switch
    {
        FieldType.Float64 => Of<FloatOrder>(op, left, right),
        FieldType.String => Of<TextOrder>(op, left, right),
        _ => Of<IntegerOrder>(op, left, right),
    };

    public static Node Extreme(bool least, Node left, Node right) => left.Type switch
    {
        FieldType.Float64 => Extreme<FloatOrder>(least, left, right),
        FieldType.String => Extreme<TextOrder>(least, left, right),
        _ => Extreme<IntegerOrder>(least, left, right),
    };

    private static Node Of<TOrder>(BinaryOperator op, Node left, Node right)
        where TOrder : struct, ILaneOrder => op switch
        {
            BinaryOperator.Equal => new BinaryNode<Equal<TOrder>>(FieldType.Boolean, left, right),
            BinaryOperator.NotEqual => new BinaryNode<NotEqual<TOrder>>(FieldType.Boolean, left, right),
            BinaryOperator.Less => new BinaryNode<Less<TOrder>>(FieldType.Boolean, left, right),
            BinaryOperator.LessOrEqual => new BinaryNode<LessOrEqual<TOrder>>(FieldType.Boolean, left, right),
            BinaryOperator.Greater => new BinaryNode<Less<TOrder>>(FieldType.Boolean, right, left),
            _ => new BinaryNode<LessOrEqual<TOrder>>(FieldType.Boolean, right, left),
        };

    private static Node Extreme<TOrder>(bool least, Node left, Node right)
        where TOrder : struct, ILaneOrder => least
            ? new BinaryNode<Least<TOrder>>(left.Type, left, right)
            : new BinaryNode<Greatest<TOrder>>(left.Type, left, right);
}
