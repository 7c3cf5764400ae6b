using System.Text;
using StreamMl.Shared.Definitions.Expressions;
using StreamMl.Shared.Events;

namespace StreamMl.FeatureEngine.Tests.Expressions;

/// <summary>The oracle: one row at a time, values boxed, null is null. Timestamps are DateTime so that they cannot pass for integers.</summary>
internal static class NaiveInterpreter
{
    public static object? Evaluate(Expression expression, IReadOnlyDictionary<string, object?> row) => Clean(expression switch
    {
        Literal literal => literal.Value,
        FieldReference field => row[field.Name],
        Unary { Operator: UnaryOperator.Not } not => Evaluate(not.Operand, row) is bool b ? !b : null,
        Unary minus => Evaluate(minus.Operand, row) switch { long n => Checked(() => checked(-n)), double d => -d, _ => null },
        IsNull test => Evaluate(test.Operand, row) is null != test.Negated,
        InList list => Negate(list.Items.Select(i => Compare(BinaryOperator.Equal, Evaluate(list.Operand, row), Evaluate(i, row))).Aggregate(Or), list.Negated),
        Between b => Negate(
            And(Compare(BinaryOperator.GreaterOrEqual, Evaluate(b.Operand, row), Evaluate(b.Low, row)), Compare(BinaryOperator.LessOrEqual, Evaluate(b.Operand, row), Evaluate(b.High, row))),
            b.Negated),
        Binary { Operator: BinaryOperator.And } and => And((bool?)Evaluate(and.Left, row), (bool?)Evaluate(and.Right, row)),
        Binary { Operator: BinaryOperator.Or } or => Or((bool?)Evaluate(or.Left, row), (bool?)Evaluate(or.Right, row)),
        Binary { Operator: < BinaryOperator.Add } comparison => Compare(comparison.Operator, Evaluate(comparison.Left, row), Evaluate(comparison.Right, row)),
        Binary binary => Arithmetic(binary.Operator, Evaluate(binary.Left, row), Evaluate(binary.Right, row)),
        Call call => Function(call, [.. call.Arguments.Select(a => Evaluate(a, row))]),
        _ => throw new InvalidOperationException(expression.GetType().Name),
    });

    private static object? Clean(object? value) => value is double.NaN ? null : value;

    private static bool? Negate(bool? value, bool negated) => negated ? !value : value;

    private static bool? And(bool? a, bool? b) => a is false || b is false ? false : a is null || b is null ? null : true;

    private static bool? Or(bool? a, bool? b) => a is true || b is true ? true : a is null || b is null ? null : false;

    private static bool? Compare(BinaryOperator op, object? a, object? b)
    {
        if (a is null || b is null)
            return null;
        if (a is bool)
            return op == BinaryOperator.Equal ? Equals(a, b) : !Equals(a, b);
        var order = Order(a, b);
        return op switch
        {
            BinaryOperator.Equal => order == 0,
            BinaryOperator.NotEqual => order != 0,
            BinaryOperator.Less => order < 0,
            BinaryOperator.LessOrEqual => order <= 0,
            BinaryOperator.Greater => order > 0,
            _ => order >= 0,
        };
    }

    private static int Order(object a, object b) => (a, b) switch
    {
        (long x, long y) => x.CompareTo(y),
        (DateTime x, DateTime y) => x.CompareTo(y),
        (string x, string y) => Encoding.UTF8.GetBytes(x).AsSpan().SequenceCompareTo(Encoding.UTF8.GetBytes(y)),
        _ => Real(a) < Real(b) ? -1 : Real(a) > Real(b) ? 1 : 0,
    };

    private static double Real(object value) => value is long n ? n : (double)value;

    private static object? Checked(Func<object?> compute)
    {
        try
        {
            return compute();
        }
        catch (OverflowException)
        {
            return null;
        }
    }

    private static object? Arithmetic(BinaryOperator op, object? a, object? b)
    {
        if (a is null || b is null)
            return null;
        if (a is DateTime x && b is DateTime y)
            return (x - y).Ticks / TimeSpan.TicksPerMicrosecond / 1e6;
        if (a is long m && b is long n && op != BinaryOperator.Divide)
        {
            return Checked(() => op switch
            {
                BinaryOperator.Add => checked(m + n),
                BinaryOperator.Subtract => checked(m - n),
                BinaryOperator.Multiply => checked(m * n),
                _ => n == 0 ? null : (object?)(long)((Int128)m % n),
            });
        }

        double p = Real(a), q = Real(b);
        return op switch
        {
            BinaryOperator.Add => p + q,
            BinaryOperator.Subtract => p - q,
            BinaryOperator.Multiply => p * q,
            BinaryOperator.Divide => q == 0 ? null : p / q,
            _ => p % q,
        };
    }

    private static object? Function(Call call, object?[] a)
    {
        if (call.Function == "coalesce")
            return a.FirstOrDefault(v => v is not null);
        if (call.Function == "if")
            return a[0] is true ? a[1] : a[2];
        if (a.Contains(null))
            return null;
        return call.Function switch
        {
            "abs" => a[0] is long n ? Checked(() => Math.Abs(n)) : Math.Abs((double)a[0]!),
            "floor" => a[0] is long ? a[0] : Math.Floor((double)a[0]!),
            "ceil" => a[0] is long ? a[0] : Math.Ceiling((double)a[0]!),
            "round" => a[0] is long ? a[0] : Math.Round((double)a[0]!, MidpointRounding.AwayFromZero),
            "log" => Math.Log(Real(a[0]!)),
            "exp" => Math.Exp(Real(a[0]!)),
            "sqrt" => Math.Sqrt(Real(a[0]!)),
            "min" => a.Aggregate((x, y) => Order(y!, x!) < 0 ? y : x),
            "max" => a.Aggregate((x, y) => Order(y!, x!) > 0 ? y : x),
            "lower" => ((string)a[0]!).ToLowerInvariant(),
            "upper" => ((string)a[0]!).ToUpperInvariant(),
            "length" => (long)((string)a[0]!).EnumerateRunes().Count(),
            "starts_with" => ((string)a[0]!).StartsWith((string)a[1]!, StringComparison.Ordinal),
            "ends_with" => ((string)a[0]!).EndsWith((string)a[1]!, StringComparison.Ordinal),
            "contains" => ((string)a[0]!).Contains((string)a[1]!, StringComparison.Ordinal),
            "concat" => string.Concat(a),
            "hour_of" => (long)((DateTime)a[0]!).Hour,
            "minute_of" => (long)((DateTime)a[0]!).Minute,
            "day_of_week" => (((long)((DateTime)a[0]!).DayOfWeek + 6) % 7) + 1,
            _ => throw new InvalidOperationException(call.Function),
        };
    }

    /// <summary>The value of a column's row as the interpreter holds values.</summary>
    public static object? Read(EventColumn column, EventBatch batch, int row) => column.Valid[row] == 0 ? null : column.Type switch
    {
        FieldType.Boolean => column.Lanes[row] != 0,
        FieldType.Int64 => column.Lanes[row],
        FieldType.Float64 => column.Doubles[row],
        FieldType.String => batch.Arena.GetString(column.Lanes[row]),
        _ => Shared.Time.TimeGrid.ToDateTime(column.Lanes[row]),
    };
}
