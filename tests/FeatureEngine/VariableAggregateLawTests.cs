using CsCheck;
using StreamMl.FeatureEngine.Aggregates.Variable;
using StreamMl.Shared.Events;

namespace StreamMl.FeatureEngine.Tests;

/// <summary>The laws of the parts of any size: empty is the identity, an update is the merge of a singleton, merge is associative where promised.</summary>
public sealed class VariableAggregateLawTests
{
    private const int Bound = 4;

    private static readonly (string Name, VariableAggregate Aggregate)[] All =
    [
        ("first", new EdgeText(last: false)), ("last", new EdgeText(last: true)), ("min", new RangeText(greatest: false)), ("max", new RangeText(greatest: true)),
        ("last_k text", new LastK(FieldType.String, 3)), ("last_k integer", new LastK(FieldType.Int64, 2)), ("last_k 1", new LastK(FieldType.Float64, 1)),
        ("count_distinct text", new DistinctCount(FieldType.String, Bound)), ("count_distinct integer", new DistinctCount(FieldType.Int64, Bound)),
        ("count_distinct unbounded", new DistinctCount(FieldType.String, 1000)),
    ];

    /// <summary>Rows in offset order, with ties of time.</summary>
    private static readonly Gen<Row[]> Rows =
        Gen.Select(EngineLab.OneOf("", "a", "b", "ab", "žluť", "zz"), Gen.Long[-3, 3], Gen.Long[-2, 2]).Array[0, 12]
            .Select(rows => rows.Select((r, i) => new Row(r.Item1, r.Item2, r.Item3, i)).ToArray());

    public static TheoryData<string> Names => [.. All.Select(a => a.Name)];

    [Fact]
    public void All_EveryVariableAggregate_IsHeldToTheLaws() =>
        All.Select(a => a.Aggregate.GetType()).Distinct().ShouldBe(typeof(VariableAggregate).Assembly.GetTypes().Where(t => t.IsSubclassOf(typeof(VariableAggregate))), ignoreOrder: true);

    [Theory]
    [MemberData(nameof(Names))]
    public void Merge_WithTheIdentity_ChangesNothing(string name) => Rows.Sample(rows =>
    {
        var aggregate = Find(name);
        var tile = StateOf(aggregate, rows);
        Merge(aggregate, tile, []).ShouldBe(tile);
        Merge(aggregate, [], tile).ShouldBe(tile);
    });

    [Theory]
    [MemberData(nameof(Names))]
    public void Update_AnyRow_IsTheMergeOfASingleton(string name) => Gen.Select(Rows, Gen.Long[-3, 3]).Sample((rows, lane) =>
    {
        var aggregate = Find(name);
        var next = new Row(lane > 0 ? "a" : "new", lane, 0, 100);
        Merge(aggregate, StateOf(aggregate, rows), StateOf(aggregate, [next])).ShouldBe(StateOf(aggregate, [.. rows, next]));
    });

    // A full set keeps the members that came first in the log, so there only its size is promised.
    [Theory]
    [MemberData(nameof(Names))]
    public void Merge_ThreeTiles_IsAssociativeWherePromised(string name) => Gen.Select(Rows, Gen.Int[0, 12], Gen.Int[0, 12]).Sample((rows, i, j) =>
    {
        var aggregate = Find(name);
        var (low, high) = (Math.Min(Math.Min(i, j), rows.Length), Math.Min(Math.Max(i, j), rows.Length));
        var (a, b, c) = (StateOf(aggregate, rows[..low]), StateOf(aggregate, rows[low..high]), StateOf(aggregate, rows[high..]));
        var left = Merge(aggregate, Merge(aggregate, a, b), c);
        var right = Merge(aggregate, a, Merge(aggregate, b, c));
        right.Length.ShouldBe(left.Length);
        if (!name.StartsWith("count_distinct", StringComparison.Ordinal) || rows.Select(r => r.Text).Distinct().Count() <= Bound && rows.Select(r => r.Lane).Distinct().Count() <= Bound)
            right.ShouldBe(left);
    });

    private static VariableAggregate Find(string name) => All.Single(a => a.Name == name).Aggregate;

    private static byte[] StateOf(VariableAggregate aggregate, Row[] rows)
    {
        var state = new VariableState();
        foreach (var row in rows)
            aggregate.Update(state, new VariableInput(row.AtUs, row.Offset, row.Lane, System.Text.Encoding.UTF8.GetBytes(row.Text)));
        return state.Span.ToArray();
    }

    private static byte[] Merge(VariableAggregate aggregate, byte[] a, byte[] b)
    {
        var into = new VariableState();
        into.Set(a);
        aggregate.Merge(into, b);
        return into.Span.ToArray();
    }

    private sealed record Row(string Text, long Lane, long AtUs, long Offset);
}
