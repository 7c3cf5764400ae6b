using CsCheck;
using StreamMl.FeatureEngine.Expressions;
using StreamMl.Shared.Definitions.Expressions;
using StreamMl.Shared.Events;
using StreamMl.Shared.Time;

namespace StreamMl.FeatureEngine.Tests.Expressions;

public sealed class ExpressionTests
{
    [Fact]
    public void Evaluate_AnyExpressionOverAnyRows_EqualsTheNaiveInterpreter() =>
        Gen.Select(ExpressionGen.Any, ExpressionGen.Row.Array[1, 20]).Sample(
            (expression, rows) =>
            {
                var text = ExpressionText.Print(expression);
                CompiledExpression compiled;
                try
                {
                    compiled = CompiledExpression.Compile(text, ExpressionGen.Schema);
                }
                catch (ExpressionException nested) when (nested.Problem.Contains("nested deeper", StringComparison.Ordinal))
                {
                    return;
                }

                var batch = BatchOf(rows);
                var into = new EventColumn(compiled.Type, 1);
                for (var pass = 0; pass < 2; pass++)
                {
                    compiled.Evaluate(batch, batch.Column, into);
                    for (var row = 0; row < rows.Length; row++)
                    {
                        var wanted = NaiveInterpreter.Evaluate(expression, rows[row]);
                        if (wanted is long n && compiled.Type == FieldType.Float64)
                            wanted = (double)n;
                        NaiveInterpreter.Read(into, batch, row).ShouldBe(wanted, $"{text} in row {row}");
                        if (wanted is null)
                            into.Lanes[row].ShouldBe(0);
                    }
                }
            },
            iter: 2000);

    [Fact]
    public void Print_ParsedAgain_IsTheSameText() =>
        ExpressionGen.Any.Sample(expression => Parsed(ExpressionText.Print(expression)) is not { } text || ExpressionText.Canonical(text) == text, iter: 3000);

    [Theory]
    [InlineData("arr_delay>15", "arr_delay > 15")]
    [InlineData("( arr_delay ) == 15 AND not(carrier IS NULL)", "arr_delay = 15 and not carrier is null")]
    [InlineData("a <> 1 or (b = 2 and c = 3)", "a != 1 or b = 2 and c = 3")]
    [InlineData("a - (b - c) - d", "a - (b - c) - d")]
    [InlineData("(a = 1) = (b = 2)", "(a = 1) = (b = 2)")]
    [InlineData("x NOT IN ('it''s',\t'b') ", "x not in ('it''s', 'b')")]
    [InlineData("COALESCE(a,-1) * 1e3 + .5", "coalesce(a, -1) * 1000.0 + 0.5")]
    [InlineData("`order` between 1 and 2", "`order` between 1 and 2")]
    [InlineData("`and` is not null", "`and` is not null")]
    [InlineData("-9223372036854775808 < a", "-9223372036854775808 < a")]
    [InlineData("- -a", "-(-a)")]
    public void Canonical_AnyStyle_IsOneText(string text, string canonical)
    {
        ExpressionText.Canonical(text).ShouldBe(text.StartsWith("`order`", StringComparison.Ordinal) ? "order between 1 and 2" : canonical);
        ExpressionText.Canonical(canonical).ShouldBe(ExpressionText.Canonical(text));
    }

    [Theory]
    [InlineData("i >", 3, "found the end where a field")]
    [InlineData("i > 15 15", 7, "found `15` where an operator")]
    [InlineData("i && b", 2, "`&` means nothing")]
    [InlineData("1 < i < 5", 6, "comparisons do not chain")]
    [InlineData("s = 'JFK", 4, "never closed")]
    [InlineData("delay > 1", 0, "no field `delay`")]
    [InlineData("i + s", 4, "`s` is a String")]
    [InlineData("b + 1", 0, "`b` is a Boolean")]
    [InlineData("i and b", 0, "`i` is a Int64")]
    [InlineData("s > 5", 4, "`5` a Int64")]
    [InlineData("i = null", 4, "with null is always null")]
    [InlineData("len(s)", 0, "no function `len`")]
    [InlineData("if(b, 1)", 0, "takes 3 arguments and has 2")]
    [InlineData("hour_of(i)", 8, "takes a Timestamp")]
    [InlineData("null", 0, "always null and so has no type")]
    [InlineData("b < c", 0, "Booleans have no order")]
    [InlineData("i = 99999999999999999999", 4, "cannot be held")]
    [InlineData("", 0, "empty")]
    public void Compile_Mistake_SaysWhereAndWhat(string text, int position, string problem)
    {
        var error = Should.Throw<ExpressionException>(() => CompiledExpression.Compile(text, ExpressionGen.Schema));
        error.Problem.ShouldContain(problem);
        error.Position.ShouldBe(position);
        error.Remedy.ShouldNotBeEmpty();
    }

    [Fact]
    public void Compile_NestedTooDeep_IsRefused() =>
        Should.Throw<ExpressionException>(() => ExpressionText.Parse(new string('(', 2000) + "1" + new string(')', 2000))).Problem.ShouldContain("nested deeper");

    [Fact]
    public void Compile_Misspelt_SuggestsTheName() =>
        Should.Throw<ExpressionException>(() => CompiledExpression.Compile("arr_dely > 15", new EventSchema("E", [new("arr_delay", FieldType.Int64, false)])))
            .Remedy.ShouldBe("Did you mean `arr_delay`?");

    [Theory]
    [InlineData("i > 15", FieldType.Boolean)]
    [InlineData("i / 2", FieldType.Float64)]
    [InlineData("i % 2", FieldType.Int64)]
    [InlineData("coalesce(null, i, 0.5)", FieldType.Float64)]
    [InlineData("tu - ts", FieldType.Float64)]
    [InlineData("if(b, s, null)", FieldType.String)]
    [InlineData("ts", FieldType.Timestamp)]
    public void Compile_Expression_HasItsType(string text, FieldType type) => CompiledExpression.Compile(text, ExpressionGen.Schema).Type.ShouldBe(type);

    [Fact]
    public void Evaluate_SteadyState_AllocatesNothing()
    {
        var compiled = CompiledExpression.Compile("i > 15 and (x * 2 < 10.5 or s in ('JFK', 'LGA')) and hour_of(ts) between 6 and 22", ExpressionGen.Schema);
        var batch = BatchOf([.. Enumerable.Range(0, 1000).Select(n => new Dictionary<string, object?>(StringComparer.Ordinal)
        {
            ["i"] = (long)n, ["j"] = null, ["x"] = n / 7.0, ["y"] = null, ["s"] = "JFK", ["t"] = null, ["b"] = true, ["c"] = null, ["ts"] = DateTime.UnixEpoch, ["tu"] = null,
        })]);
        var into = new EventColumn(FieldType.Boolean, 1000);
        Func<string, EventColumn> columns = batch.Column;
        for (var i = 0; i < 3; i++)
            compiled.Evaluate(batch, columns, into);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 10; i++)
            compiled.Evaluate(batch, columns, into);
        (GC.GetAllocatedBytesForCurrentThread() - before).ShouldBeLessThan(100);
    }

    private static string? Parsed(string text)
    {
        try
        {
            return ExpressionText.Canonical(text);
        }
        catch (ExpressionException)
        {
            return null;
        }
    }

    private static EventBatch BatchOf(IReadOnlyList<Dictionary<string, object?>> rows)
    {
        var batch = new EventBatch(ExpressionGen.Schema, 4);
        foreach (var row in rows)
        {
            var index = batch.NextRow();
            for (var column = 0; column < batch.Columns.Count; column++)
                Fill(batch, batch.Columns[column], index, row[ExpressionGen.Schema.Fields[column].Name]);
            batch.Count++;
        }

        return batch;
    }

    private static void Fill(EventBatch batch, EventColumn column, int row, object? value)
    {
        switch (value)
        {
            case null: column.SetNull(row); break;
            case bool flag: column.Set(row, flag ? 1L : 0L); break;
            case long whole: column.Set(row, whole); break;
            case double real: column.Set(row, real); break;
            case string text: column.Set(row, batch.Arena.Append(text)); break;
            case DateTime time: column.Set(row, TimeGrid.FromDateTime(time)); break;
            default: throw new InvalidOperationException(value.GetType().Name);
        }
    }
}
