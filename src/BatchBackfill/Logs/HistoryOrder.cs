using StreamMl.Infrastructure.Tables;
using StreamMl.Shared.Definitions;
using StreamMl.Shared.Events;

namespace StreamMl.BatchBackfill.Logs;

/// <summary>Whether a history file is in the order of its event time: looked at once, whatever reads the file. Thread-safe.</summary>
/// <param name="path">The file.</param>
/// <param name="source">Whose events it holds.</param>
internal sealed class HistoryOrder(string path, SourceDefinition source)
{
    private readonly Lock gate = new();
    private bool? isSorted;

    /// <exception cref="InvalidDataException">A row has no time.</exception>
    public bool IsSorted
    {
        get
        {
            lock (gate)
                return isSorted ??= Look();
        }
    }

    private bool Look()
    {
        using var reader = TableReader.Open(path, only: new HashSet<string>([source.EventTimeField], StringComparer.Ordinal));
        var column = reader.Schema.IndexOf(source.EventTimeField);
        var batch = new EventBatch(reader.Schema, 1);
        var last = long.MinValue;
        var sorted = true;
        var rows = 0L;
        while (reader.Read(batch, 65_536))
        {
            var times = batch.Columns[column].Lanes.AsSpan(0, batch.Count);
            var missing = batch.Columns[column].Valid.AsSpan(0, batch.Count).IndexOf((byte)0);
            if (missing >= 0)
                throw new InvalidDataException($"{path}: row {rows + missing + 1} has no '{source.EventTimeField}'; remove the row, or give it its time");
            foreach (var time in times)
            {
                sorted &= time >= last;
                last = time;
            }

            rows += batch.Count;
        }

        return sorted;
    }
}
