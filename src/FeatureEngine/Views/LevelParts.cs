using StreamMl.FeatureEngine.Aggregates;
using StreamMl.FeatureEngine.Aggregates.Variable;
using StreamMl.Shared.Definitions;
using StreamMl.Shared.Events;

namespace StreamMl.FeatureEngine.Views;

/// <summary>Collects the parts that a level's aggregations need, each once, and lays them out in an order that only their kinds and columns decide.</summary>
internal sealed class LevelParts(IReadOnlyList<ProgramColumn> columns)
{
    private readonly SortedDictionary<(LaneOpKind Kind, int Column), StatsParts> ops = [];
    private readonly SortedDictionary<(int Column, string Function, int Parameter), VariableAggregate> variables = [];
    private Dictionary<(LaneOpKind Kind, int Column), int> opIndex = [];

    public LaneOp[] Ops { get; private set; } = [];

    public VariableAggregate[] Variables { get; private set; } = [];

    public int[] VariableColumns { get; private set; } = [];

    public int LaneCount { get; private set; }

    public void Need(Aggregation aggregation, int column)
    {
        if (VariableOf(aggregation, column) is { } variable)
        {
            variables[VariableKey(aggregation, column)] = variable;
            return;
        }

        var (kind, parts, _) = FixedOf(aggregation, column);
        ops[(kind, column)] = ops.GetValueOrDefault((kind, column)) | parts;
    }

    public void Freeze()
    {
        foreach (var ((kind, column), parts) in ops)
        {
            var op = new LaneOp(kind, column, LaneCount, parts);
            Ops = [.. Ops, op];
            LaneCount += op.Width;
        }

        opIndex = Ops.Select((op, i) => (op, i)).ToDictionary(p => (p.op.Kind, p.op.Column), p => p.i);
        Variables = [.. variables.Values];
        VariableColumns = [.. variables.Keys.Select(k => k.Column)];
    }

    public (ReadOutKind Kind, int Part) Find(Aggregation aggregation, int column)
    {
        if (variables.ContainsKey(VariableKey(aggregation, column)))
            return (ReadOutKind.Variable, variables.Keys.ToList().IndexOf(VariableKey(aggregation, column)));
        var (kind, _, readOut) = FixedOf(aggregation, column);
        return (readOut, opIndex[(kind, column)]);
    }

    private static (int Column, string Function, int Parameter) VariableKey(Aggregation aggregation, int column) =>
        (column, aggregation.Function, aggregation.Parameter ?? 0);

    private VariableAggregate? VariableOf(Aggregation aggregation, int column)
    {
        var type = column < 0 ? FieldType.Int64 : columns[column].Type;
        var isText = type == FieldType.String;
        return aggregation.Function switch
        {
            AggregationNames.LastK => new LastK(type, aggregation.Parameter ?? 1),
            AggregationNames.CountDistinct => new DistinctCount(type, aggregation.Parameter ?? DistinctCount.DefaultBound),
            AggregationNames.First when isText => new EdgeText(last: false),
            AggregationNames.Last when isText => new EdgeText(last: true),
            AggregationNames.Min when isText => new RangeText(greatest: false),
            AggregationNames.Max when isText => new RangeText(greatest: true),
            _ => null,
        };
    }

    private (LaneOpKind Kind, StatsParts Parts, ReadOutKind ReadOut) FixedOf(Aggregation aggregation, int column)
    {
        var isInteger = column >= 0 && columns[column].Type != FieldType.Float64;
        return aggregation.Function switch
        {
            AggregationNames.Count when column < 0 => (LaneOpKind.RowCount, StatsParts.None, ReadOutKind.RowCount),
            AggregationNames.Count => (LaneOpKind.Stats, StatsParts.None, ReadOutKind.ValueCount),
            AggregationNames.Sum => (LaneOpKind.Stats, StatsParts.Sum, ReadOutKind.Sum),
            AggregationNames.Mean => (LaneOpKind.Stats, StatsParts.Sum, ReadOutKind.Mean),
            AggregationNames.Min when isInteger => (LaneOpKind.IntegerRange, StatsParts.None, ReadOutKind.IntegerMin),
            AggregationNames.Max when isInteger => (LaneOpKind.IntegerRange, StatsParts.None, ReadOutKind.IntegerMax),
            AggregationNames.Min => (LaneOpKind.Stats, StatsParts.Min, ReadOutKind.Min),
            AggregationNames.Max => (LaneOpKind.Stats, StatsParts.Max, ReadOutKind.Max),
            AggregationNames.VariancePopulation => (LaneOpKind.Moments, StatsParts.None, ReadOutKind.VariancePopulation),
            AggregationNames.VarianceSample => (LaneOpKind.Moments, StatsParts.None, ReadOutKind.VarianceSample),
            AggregationNames.StddevPopulation => (LaneOpKind.Moments, StatsParts.None, ReadOutKind.StddevPopulation),
            AggregationNames.StddevSample => (LaneOpKind.Moments, StatsParts.None, ReadOutKind.StddevSample),
            AggregationNames.First => (LaneOpKind.First, StatsParts.None, ReadOutKind.Edge),
            AggregationNames.Last => (LaneOpKind.Last, StatsParts.None, ReadOutKind.Edge),
            AggregationNames.TimeSinceLast => (LaneOpKind.LastTime, StatsParts.None, ReadOutKind.TimeSinceLast),
            _ => throw new ArgumentException($"there is no aggregation '{aggregation.Function}'; there are {string.Join(", ", AggregationNames.All)}", nameof(aggregation)),
        };
    }
}
