using StreamMl.Infrastructure.Tables;
using StreamMl.Shared.Definitions;
using StreamMl.Shared.Events;

namespace StreamMl.Cli.Demo;

/// <summary>
/// The mistake that this product makes impossible, made on purpose: landings as a table of finished flights would give them, each known in full when the flight departs.
/// </summary>
internal static class LeakyLandings
{
    private const long MinuteUs = 60_000_000;
    private const int Rows = 4096;

    /// <summary>Writes the landings of the sample as a history file whose event time is the departure.</summary>
    /// <param name="flights">The sample's flights.parquet.</param>
    /// <param name="landings">The source whose events they pretend to be.</param>
    /// <param name="path">The Arrow file to write.</param>
    public static void Write(string flights, SourceDefinition landings, string path)
    {
        using var reader = TableReader.Open(flights);
        var from = new EventBatch(reader.Schema, Rows);
        var into = new EventBatch(landings.Schema, Rows);
        using var writer = new ArrowTableWriter(path, landings.Schema);
        while (reader.Read(from, Rows))
        {
            into.Clear();
            for (var row = 0; row < from.Count; row++)
            {
                if (from.Column("arr_delay").Valid[row] != 0)
                    Copy(from, row, into, landings.EventTimeField);
            }

            if (into.Count > 0)
                writer.Write(into);
        }

        writer.Commit();
    }

    private static void Copy(EventBatch from, int row, EventBatch into, string eventTime)
    {
        var at = into.NextRow();
        for (var c = 0; c < into.Columns.Count; c++)
        {
            var name = into.Schema.Fields[c].Name;
            if (name == eventTime)
                into.Columns[c].Set(at, from.Column("sched_dep").Lanes[row] + (from.Column("dep_delay").Lanes[row] * MinuteUs));
            else if (from.Column(name) is var column && column.Valid[row] == 0)
                into.Columns[c].SetNull(at);
            else
                into.Columns[c].Set(at, column.Type == FieldType.String ? into.Arena.Append(from.Arena.Slice(column.Lanes[row])) : column.Lanes[row]);
        }

        into.Count++;
    }
}
