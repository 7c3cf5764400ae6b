using StreamMl.Ingestors.Files;
using StreamMl.Shared.Definitions;
using StreamMl.Shared.Events;
using StreamMl.Shared.Time;

namespace StreamMl.Ingestors.Mapping;

/// <summary>
/// Makes events of rows that were read: constants, times, the filter, expressions, event and arrival time. What is wrong with a row becomes its problem. Not
/// thread-safe.
/// </summary>
internal sealed class RowMapper
{
    private readonly RowPlan plan;
    private readonly long arrivalDelayUs;
    private readonly List<(int Field, CellFormat Format, string? Text)> constants = [];
    private readonly EventColumn keep;

    /// <exception cref="MappingException">A constant that is not of its field's type.</exception>
    public RowMapper(RowPlan plan, SourceMapping mapping, SourceDefinition source)
    {
        this.plan = plan;
        arrivalDelayUs = TimeGrid.ToMicros(mapping.ArrivalDelay);
        keep = new EventColumn(FieldType.Boolean, RowChunk.DefaultRows);
        var scratch = new Utf8Arena();
        foreach (var (index, text) in plan.Constants)
        {
            var field = source.Schema.Fields[index];
            var format = new CellFormat(field.Type);
            string? problem = null;
            if (text is not null && !format.TryParse(System.Text.Encoding.UTF8.GetBytes(text), scratch, out _, out problem))
                throw MappingException.Of(mapping.Fields[field.Name].Location, $"the constant '{text}' {problem}", $"Field '{field.Name}' is {field.Type}");
            constants.Add((index, format, text));
        }
    }

    /// <summary>Completes the rows of a chunk that a reader has filled through <see cref="RowPlan.Bindings"/>.</summary>
    /// <param name="chunk">Its batch gets event and arrival times.</param>
    /// <param name="wanted">By row: false where the filter does not want it.</param>
    public void Complete(RowChunk chunk, Span<bool> wanted)
    {
        var batch = chunk.Rows;
        SetConstants(batch);
        foreach (var (target, terms) in plan.Sums)
        {
            foreach (var (column, unitUs) in terms)
                Add(chunk, batch.Columns[target], column < 0 ? null : batch.Columns[column], unitUs);
        }

        Filter(batch, wanted);
        foreach (var (target, expression) in plan.Expressions)
            expression.Evaluate(batch, ColumnOf, batch.Columns[target]);
        SetTimes(chunk, wanted);

        EventColumn ColumnOf(string name) => batch.Columns[plan.ExpressionColumns[name]];
    }

    private void Filter(EventBatch batch, Span<bool> wanted)
    {
        wanted[..batch.Count].Fill(true);
        if (plan.Where is null)
            return;
        plan.Where.Evaluate(batch, name => batch.Columns[plan.ExpressionColumns[name]], keep);
        for (var row = 0; row < batch.Count; row++)
            wanted[row] = keep.Valid[row] != 0 && keep.Lanes[row] != 0;
    }

    private void SetConstants(EventBatch batch)
    {
        foreach (var (field, format, text) in constants)
        {
            var column = batch.Columns[field];
            if (text is null)
            {
                Array.Clear(column.Valid, 0, batch.Count);
                continue;
            }

            // The constructor has tried it; strings must stand in the arena of this chunk.
            var isRead = format.TryParse(System.Text.Encoding.UTF8.GetBytes(text), batch.Arena, out var lane, out _);
            column.Lanes.AsSpan(0, batch.Count).Fill(lane);
            column.Valid.AsSpan(0, batch.Count).Fill(isRead ? (byte)1 : (byte)0);
        }
    }

    private static void Add(RowChunk chunk, EventColumn into, EventColumn? counts, long unitUs)
    {
        for (var row = 0; row < chunk.Rows.Count; row++)
        {
            if (counts is null)
            {
                into.Lanes[row] += into.Valid[row] != 0 ? unitUs : 0;
            }
            else if (counts.Valid[row] == 0)
            {
                into.SetNull(row);
            }
            else if (into.Valid[row] != 0)
            {
                var us = Math.Round(BitConverter.Int64BitsToDouble(counts.Lanes[row]) * unitUs);
                if (Math.Abs(us) < 1e18)
                    into.Lanes[row] += (long)us;
                else
                    chunk.SetProblem(row, $"{us} microseconds are too many to add to a time");
            }
        }
    }

    private void SetTimes(RowChunk chunk, ReadOnlySpan<bool> wanted)
    {
        var batch = chunk.Rows;
        var eventTime = batch.Columns[plan.EventTimeColumn];
        var arrivalTime = plan.ArrivalTimeColumn < 0 ? null : batch.Columns[plan.ArrivalTimeColumn];
        for (var row = 0; row < batch.Count; row++)
        {
            batch.EventTimesUs[row] = eventTime.Lanes[row];
            batch.ArrivalTimesUs[row] = arrivalTime?.Lanes[row] ?? (eventTime.Lanes[row] + arrivalDelayUs);
            if (!wanted[row])
                continue;
            if (eventTime.Valid[row] == 0)
                chunk.SetProblem(row, "the event time is null");
            else if (arrivalTime is not null && arrivalTime.Valid[row] == 0)
                chunk.SetProblem(row, "the arrival time is null");
        }
    }
}
