using NodaTime;
using ParquetSharp;

namespace StreamMl.FlightsPrepare;

/// <summary>One column of an output file.</summary>
internal abstract class ColumnOf<TRow>(string name)
{
    public string Name { get; } = name;

    /// <summary>In place of a dictionary, where that is smaller.</summary>
    public Encoding? Encoding { get; init; }

    public abstract Column Declare();

    public abstract void Write(RowGroupWriter group, List<TRow> rows, int from, int count);
}

internal sealed class ColumnOf<TRow, TValue>(string name, Func<TRow, TValue> value) : ColumnOf<TRow>(name)
{
    public override Column Declare() => new Column<TValue>(Name);

    public override void Write(RowGroupWriter group, List<TRow> rows, int from, int count)
    {
        using var writer = group.NextColumn().LogicalWriter<TValue>();
        writer.WriteBatch([.. rows.GetRange(from, count).Select(value)]);
    }
}

/// <summary>A UTC timestamp in milliseconds.</summary>
internal sealed class TimeColumn<TRow>(string name, Func<TRow, Instant> value) : ColumnOf<TRow>(name)
{
    public override Column Declare() => new Column<DateTime>(Name, LogicalType.Timestamp(isAdjustedToUtc: true, TimeUnit.Millis));

    public override void Write(RowGroupWriter group, List<TRow> rows, int from, int count)
    {
        using var writer = group.NextColumn().LogicalWriter<DateTime>();
        writer.WriteBatch([.. rows.GetRange(from, count).Select(r => value(r).ToDateTimeUtc())]);
    }
}
