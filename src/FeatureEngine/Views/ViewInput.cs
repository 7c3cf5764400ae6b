using System.Runtime.CompilerServices;
using StreamMl.FeatureEngine.Aggregates;
using StreamMl.FeatureEngine.Expressions;
using StreamMl.Shared.Events;
using StreamMl.Shared.Log;

namespace StreamMl.FeatureEngine.Views;

/// <summary>
/// A batch as one view sees it: its derived columns, its row filter and the entity key of every row. Reused from batch to batch; not
/// thread-safe. <see cref="Bind"/> first; what it gives is valid until the batch is cleared.
/// </summary>
public sealed class ViewInput
{
    private readonly ViewProgram program;
    private readonly EventSchema schema;
    private readonly bool isPrepared;
    private readonly bool hasKeys = true;
    private readonly int[] keyColumns;
    private readonly (string Name, CompiledExpression Expression)[] derivations;
    private readonly CompiledExpression? filter;
    private readonly Dictionary<string, EventColumn> derived = new(StringComparer.Ordinal);
    private readonly EventColumn?[] aggregated;
    private readonly Utf8Arena ownKeys = new();
    private readonly Func<string, EventColumn> resolve;
    private EventColumn filterColumn = new(FieldType.Boolean, 0);
    private long[] ownKeyLanes = [];
    private long[] keyLanes = [];
    private Utf8Arena keyArena;
    private EventBatch? batch;

    /// <param name="program">The view.</param>
    /// <param name="batchSchema">Of the batches that will be bound.</param>
    /// <param name="hasKeys">False where the caller finds entities by the key fields' values: then keys are not written out, and <see cref="Key"/> means nothing.</param>
    /// <exception cref="ArgumentException">The batch lacks a field that the view needs.</exception>
    public ViewInput(ViewProgram program, EventSchema batchSchema, bool hasKeys = true)
    {
        this.program = program;
        this.hasKeys = hasKeys;
        schema = batchSchema;
        keyArena = ownKeys;
        foreach (var field in program.RequiredFields)
        {
            if (batchSchema.IndexOf(field) < 0)
                throw new ArgumentException($"view '{program.View.Name}' needs field '{field}', which the batch does not carry", nameof(batchSchema));
        }

        keyColumns = [.. program.View.KeyFields.Select(batchSchema.IndexOf)];
        resolve = Resolve;
        derivations = [.. Derivations(program, batchSchema)];
        filter = program.View.Filter is null ? null : CompiledExpression.Compile(program.View.Filter, program.RowSchema);
        aggregated = new EventColumn?[program.Columns.Count];
    }

    private ViewInput(ViewProgram program)
    {
        this.program = program;
        schema = program.AggregatedSchema;
        keyArena = ownKeys;
        isPrepared = true;
        keyColumns = [];
        derivations = [];
        resolve = Resolve;
        aggregated = new EventColumn?[program.Columns.Count];
    }

    /// <summary>
    /// An input for batches of <see cref="ViewProgram.AggregatedSchema"/>: rows whose filter, key and derived columns were evaluated before, by
    /// another input, and that all passed. No row is filtered; <see cref="Key"/> means nothing.
    /// </summary>
    public static ViewInput ForAggregated(ViewProgram program) => new(program);

    /// <summary>The batch last bound.</summary>
    public EventBatch Batch => batch ?? throw new InvalidOperationException("bind a batch first");

    /// <summary>Evaluates all rows of the batch. Derived strings are appended to the batch's arena.</summary>
    public void Bind(EventBatch batch)
    {
        if (!ReferenceEquals(batch.Schema, schema) && !batch.Schema.Fields.SequenceEqual(schema.Fields))
            throw new ArgumentException($"the batch's fields ({string.Join(", ", batch.Schema.Fields.Select(f => f.Name))}) are not those that the view's input was made for", nameof(batch));
        this.batch = batch;
        foreach (var (name, expression) in derivations)
        {
            var column = ColumnFor(name, expression.Type, batch.Count);
            expression.Evaluate(batch, resolve, column);
        }

        for (var i = 0; i < aggregated.Length; i++)
            aggregated[i] = Resolve(program.Columns[i].Name);
        BindKeys(batch);
    }

    /// <summary>The i-th column of <see cref="ViewProgram.AggregatedSchema"/> over the bound batch; strings lie in the batch's arena.</summary>
    public EventColumn Aggregated(int column) => aggregated[column]!;

    /// <summary>The row filter did not say true, or a key field is null.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool IsFiltered(int row) => keyLanes[row] < 0;

    /// <summary>The entity key of a row that is not filtered.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ReadOnlySpan<byte> Key(int row) => keyArena.Slice(keyLanes[row]);

    /// <summary>By row; negative where <see cref="IsFiltered"/>.</summary>
    internal ReadOnlySpan<long> KeyLanes => keyLanes;

    internal ReadOnlySpan<byte> Text(int column, int row) => Batch.Arena.Slice(aggregated[column]!.Lanes[row]);

    /// <summary>The row's values of the program's columns.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal unsafe void Gather(int row, RowValue* values)
    {
        foreach (var column in aggregated)
        {
            var lane = column!.Lanes[row];
            if (column.Type == FieldType.Float64)
            {
                var number = BitConverter.Int64BitsToDouble(lane) + 0.0;
                values->Number = number;
                values->Lane = BitConverter.DoubleToInt64Bits(number);
                values->Present = double.IsNaN(number) ? 0 : column.Valid[row];
            }
            else
            {
                values->Number = lane;
                values->Lane = lane;
                values->Present = column.Valid[row];
            }

            values++;
        }
    }

    private void BindKeys(EventBatch batch)
    {
        if (isPrepared)
        {
            keyLanes = OwnKeyLanes(batch.Count); // all 0: nothing is filtered
            return;
        }

        EvaluateFilter(batch);
        if (!hasKeys)
        {
            BindWanted(batch);
            return;
        }

        if (IsKeyColumnItself(batch))
        {
            var column = batch.ColumnSpan[keyColumns[0]];
            keyArena = batch.Arena;
            keyLanes = filter is null && column.Valid.AsSpan(0, batch.Count).IndexOf((byte)0) < 0 ? column.Lanes : CopyKeyLanes(batch, column);
            return;
        }

        ownKeys.Clear();
        keyArena = ownKeys;
        keyLanes = OwnKeyLanes(batch.Count);
        for (var row = 0; row < batch.Count; row++)
            keyLanes[row] = IsWanted(row) ? EntityKey.Append(ownKeys, batch, keyColumns, row) : -1;
    }

    private void BindWanted(EventBatch batch)
    {
        keyLanes = OwnKeyLanes(batch.Count);
        keyLanes.AsSpan(0, batch.Count).Clear();
        for (var row = 0; filter is not null && row < batch.Count; row++)
            keyLanes[row] = IsWanted(row) ? 0 : -1;
        foreach (var column in keyColumns)
        {
            var valid = batch.ColumnSpan[column].Valid.AsSpan(0, batch.Count);
            for (var row = valid.IndexOf((byte)0); row >= 0 && row < batch.Count; row++)
                keyLanes[row] |= valid[row] - 1L;
        }
    }

    /// <summary>
    /// Most keys are one string with nothing to escape: then the batch's own text is the key and is not copied. One vectorised scan of all
    /// text decides it for the batch; a separator in any other string only costs the copying.
    /// </summary>
    private bool IsKeyColumnItself(EventBatch batch) =>
        keyColumns.Length == 1 && batch.ColumnSpan[keyColumns[0]].Type == FieldType.String && EntityKey.IsPlain(batch.Arena.Written);

    private long[] CopyKeyLanes(EventBatch batch, EventColumn column)
    {
        var lanes = OwnKeyLanes(batch.Count);
        for (var row = 0; row < batch.Count; row++)
            lanes[row] = IsWanted(row) && column.Valid[row] != 0 ? column.Lanes[row] : -1;
        return lanes;
    }

    private long[] OwnKeyLanes(int rows)
    {
        if (ownKeyLanes.Length < rows)
            ownKeyLanes = new long[Math.Max(rows, ownKeyLanes.Length * 2)];
        return ownKeyLanes;
    }

    private void EvaluateFilter(EventBatch batch)
    {
        if (filter is null)
            return;
        if (filterColumn.Lanes.Length < batch.Count)
            filterColumn = new EventColumn(FieldType.Boolean, Math.Max(batch.Count, filterColumn.Lanes.Length * 2));
        filter.Evaluate(batch, resolve, filterColumn);
    }

    private bool IsWanted(int row) => filter is null || (filterColumn.Valid[row] != 0 && filterColumn.Lanes[row] != 0);

    private EventColumn ColumnFor(string name, FieldType type, int rows)
    {
        if (derived.TryGetValue(name, out var column) && column.Lanes.Length >= rows)
            return column;
        return derived[name] = new EventColumn(type, Math.Max(rows, (column?.Lanes.Length ?? 0) * 2));
    }

    private EventColumn Resolve(string name) => derived.TryGetValue(name, out var column) ? column : Batch.Column(name);

    /// <summary>A derived column whose fields the batch does not carry is one that nothing needs.</summary>
    private static IEnumerable<(string Name, CompiledExpression Expression)> Derivations(ViewProgram program, EventSchema batchSchema)
    {
        var carried = batchSchema.Fields.Select(f => f.Name).ToHashSet(StringComparer.Ordinal);
        foreach (var column in program.View.Derive)
        {
            var expression = CompiledExpression.Compile(column.Expression, program.RowSchema);
            if (expression.Fields.All(carried.Contains) && carried.Add(column.Name))
                yield return (column.Name, expression);
        }
    }
}
