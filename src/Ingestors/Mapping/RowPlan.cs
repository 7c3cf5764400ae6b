using StreamMl.FeatureEngine.Expressions;
using StreamMl.Ingestors.Files;
using StreamMl.Shared.Definitions;
using StreamMl.Shared.Definitions.Expressions;
using StreamMl.Shared.Events;

namespace StreamMl.Ingestors.Mapping;

/// <summary>
/// A source's mapping bound to the columns of its file: what is read into which column of a chunk, and what is computed then. The chunk's columns are the
/// source's fields, in the schema's order, and behind them what else expressions and times need. Built once per source and file; immutable.
/// </summary>
internal sealed class RowPlan
{
    private readonly SourceMapping mapping;
    private readonly SourceDefinition source;
    private readonly Dictionary<string, FileColumn> fileColumns;
    private readonly List<CellBinding> bindings = [];
    private readonly List<EventField> columns;
    private readonly Dictionary<string, FieldType> seenTypes = new(StringComparer.Ordinal);
    private readonly List<Diagnostic> diagnostics = [];

    public RowPlan(SourceMapping mapping, SourceDefinition source, IReadOnlyList<FileColumn> fileColumns)
    {
        this.mapping = mapping;
        this.source = source;
        this.fileColumns = fileColumns.DistinctBy(c => c.Name).ToDictionary(c => c.Name, StringComparer.Ordinal);
        columns = [.. source.Schema.Fields];
        foreach (var field in mapping.Fields.Where(f => source.Schema.IndexOf(f.Key) < 0))
            Error(field.Value.Location, $"source '{source.Name}' has no field '{field.Key}'", $"Its fields are {Names(source.Schema.Fields.Select(f => f.Name))}");
        PlanFields();
        PlanTimes();
        PlanExpressions();
        if (diagnostics.Count > 0)
            throw new MappingException(diagnostics);
        ChunkSchema = new EventSchema(source.Schema.Name, columns);
    }

    public IReadOnlyList<CellBinding> Bindings => bindings;

    public EventSchema ChunkSchema { get; }

    /// <summary>Fields that nothing gives a value: null, or their default.</summary>
    public List<string> Unset { get; } = [];

    public List<(int Field, string? Text)> Constants { get; } = [];

    /// <summary>Times whose base stands in <c>Target</c> already and that terms (column or -1, microseconds) are to be added to.</summary>
    public List<(int Target, List<(int Column, long UnitUs)> Terms)> Sums { get; } = [];

    public List<(int Target, CompiledExpression Expression)> Expressions { get; } = [];

    public CompiledExpression? Where { get; private set; }

    public int EventTimeColumn => source.Schema.IndexOf(source.EventTimeField);

    /// <summary>-1: the event time plus the delay.</summary>
    public int ArrivalTimeColumn { get; private set; } = -1;

    /// <summary>The chunk's column of each file column that expressions read.</summary>
    public Dictionary<string, int> ExpressionColumns { get; } = new(StringComparer.Ordinal);

    private void PlanFields()
    {
        for (var i = 0; i < source.Schema.Fields.Count; i++)
        {
            var field = source.Schema.Fields[i];
            if (field.Name == source.EventTimeField && mapping.EventTime is not null)
                continue;
            switch (mapping.Fields.GetValueOrDefault(field.Name))
            {
                case null when fileColumns.ContainsKey(field.Name):
                    Bind(field.Name, i, field.Type, mapping.Location);
                    break;
                case null:
                    PlanUnset(field);
                    break;
                case FromColumn from:
                    Bind(from.Column, i, field.Type, from.Location);
                    break;
                case FromTime time:
                    PlanTime(time, i, field);
                    break;
                case FromConstant constant:
                    Constants.Add((i, constant.Text));
                    break;
            }
        }
    }

    private void PlanUnset(EventField field)
    {
        if (field.Name == source.EventTimeField)
            Error(mapping.Location, $"the event time of '{source.Name}' comes from nowhere: the file has no column '{field.Name}'", $"Say `eventTime:` and one of {Names(fileColumns.Keys)}");
        else
            Unset.Add(field.Name);
    }

    private void PlanTimes()
    {
        if (mapping.EventTime is { } eventTime)
            PlanTime(eventTime, EventTimeColumn, source.Schema.Fields[EventTimeColumn]);
        if (mapping.ArrivalTime is not { } arrival)
            return;
        var field = new EventField("arrivalTime of the mapping", FieldType.Timestamp, Nullable: false);
        ArrivalTimeColumn = columns.Count;
        columns.Add(field);
        PlanTime(arrival, ArrivalTimeColumn, field);
    }

    private void PlanTime(FromTime from, int target, EventField field)
    {
        if (field.Type != FieldType.Timestamp)
        {
            Error(from.Location, $"field '{field.Name}' is {field.Type} and cannot take a time", "Give it a column, or make it a timestamp in the Avro schema");
            return;
        }

        foreach (var (column, format) in from.Time.Inputs.Take(1))
            Bind(column, target, format, from.Location);
        var terms = new List<(int Column, long UnitUs)>();
        foreach (var term in from.Time.Terms)
            terms.Add((term.Column is null ? -1 : Extra(term.Column, FieldType.Float64, from.Location), term.UnitUs));
        if (terms.Count > 0)
            Sums.Add((target, terms));
    }

    private void PlanExpressions()
    {
        var schema = new EventSchema("file", [.. fileColumns.Values.Select(c => new EventField(c.Name, TypeInExpressions(c), Nullable: true))]);
        if (mapping.Where is { } where && Compile(where, schema) is { } filter)
        {
            Where = filter;
            if (filter.Type != FieldType.Boolean)
                Error(where.Location, $"`where` is {filter.Type}, not true or false", "Write a condition such as dep_delay is not null");
        }

        foreach (var (name, field) in mapping.Fields)
        {
            var target = source.Schema.IndexOf(name);
            if (field is not FromExpression from || target < 0 || Compile(from, schema) is not { } expression)
                continue;
            if (expression.Type == columns[target].Type)
                Expressions.Add((target, expression));
            else
                Error(from.Location, $"the expression gives {expression.Type}, and field '{name}' is {columns[target].Type}", "Convert it in the expression, or change the Avro schema");
        }
    }

    // Text has the type that the field has which takes it: dep_delay > 15 works on a CSV file, too.
    private FieldType TypeInExpressions(FileColumn column) => !column.IsText ? column.Type
        : mapping.Types.TryGetValue(column.Name, out var type) ? type : seenTypes.GetValueOrDefault(column.Name, FieldType.String);

    private CompiledExpression? Compile(FromExpression from, EventSchema schema)
    {
        try
        {
            var compiled = CompiledExpression.Compile(from.Expression, schema);
            foreach (var name in compiled.Fields)
                ExpressionColumns[name] = Extra(name, schema.Find(name)!.Type, from.Location);
            return compiled;
        }
        catch (ExpressionException e)
        {
            Error(from.Location, $"{e.Problem} (at position {e.Position + 1} of `{e.Text}`)", e.Remedy);
            return null;
        }
    }

    private int Extra(string column, FieldType type, SourceLocation location)
    {
        var bound = bindings.Find(b => b.Column == column && b.Format.Type == type && b.Format.Time is null && !Sums.Exists(s => s.Target == b.Target));
        if (bound is not null)
            return bound.Target;
        columns.Add(new EventField($"column '{column}' as {type}", type, Nullable: true));
        Bind(column, columns.Count - 1, type, location);
        return columns.Count - 1;
    }

    private void Bind(string column, int target, FieldType type, SourceLocation location) => Bind(column, target, new CellFormat(type), location);

    private void Bind(string column, int target, CellFormat format, SourceLocation location)
    {
        if (!fileColumns.ContainsKey(column))
        {
            Error(location, $"the file has no column '{column}'", $"It has {Names(fileColumns.Keys)}");
            return;
        }

        bindings.Add(new CellBinding(column, target, format));
        if (target < source.Schema.Fields.Count || format.Type == FieldType.Float64)
            seenTypes.TryAdd(column, format.Type);
    }

    private static string Names(IEnumerable<string> names) => string.Join(", ", names);

    private void Error(SourceLocation location, string problem, string remedy) => diagnostics.Add(new Diagnostic(Severity.Error, location, problem, remedy));
}
