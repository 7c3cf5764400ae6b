using StreamMl.Ingestors.Files;
using StreamMl.Shared.Events;

namespace StreamMl.Ingestors.NewProject;

/// <summary>What was found in a file: its columns, and which could be the time and the key.</summary>
internal sealed class FileProfile
{
    /// <summary>Rows that are looked at.</summary>
    public const int RowsMax = 1_000_000;

    private static readonly string[] KeyWords = ["id", "key", "code", "user", "customer", "account", "card", "device", "sensor", "station", "host", "name", "origin", "symbol"];
    private static readonly string[] TimeWords = ["event_time", "timestamp", "time", "datetime", "date", "created_at", "at", "ts"];

    private FileProfile(IReadOnlyList<ColumnProfile> columns, long rows)
    {
        Columns = columns;
        Rows = rows;
    }

    public IReadOnlyList<ColumnProfile> Columns { get; }

    public long Rows { get; }

    /// <summary>Best first.</summary>
    public IReadOnlyList<ColumnProfile> TimeCandidates => [.. Columns.Where(c => c.Time is not null && c.Nulls * 10 < Rows)
        .OrderBy(c => Rank(TimeWords, c.Name)).ThenByDescending(c => c.IsAscending).ThenByDescending(c => c.Distinct)];

    /// <summary>Columns of texts and whole numbers whose values come again; best first.</summary>
    public IReadOnlyList<ColumnProfile> KeyCandidates => [.. Columns.Where(c => c.Type is FieldType.String or FieldType.Int64 && c.Time is null && c.Recurs && c.Nulls * 2 < Rows)
        .OrderBy(c => Rank(KeyWords, c.Name)).ThenBy(c => c.Type == FieldType.String ? 0 : 1).ThenByDescending(c => c.Distinct)];

    public ColumnProfile? Find(string name) => Columns.FirstOrDefault(c => c.Name == name);

    /// <exception cref="RowFileException">The file cannot be read, or has no rows.</exception>
    public static FileProfile Read(string path)
    {
        var columns = RowFile.Columns(path);
        if (columns.Count == 0)
            throw new RowFileException(path, "no column was found", "Events need at least a time and a key");
        var profiles = columns.Select(c => new ColumnProfile(c)).ToList();
        // Everything but times is looked at as text.
        var schema = new EventSchema("file", [.. columns.Select((c, i) => new EventField($"c{i}", c.Type == FieldType.Timestamp ? FieldType.Timestamp : FieldType.String, true))]);
        using var reader = RowFile.Open(path, [.. columns.Select((c, i) => new CellBinding(c.Name, i, new CellFormat(schema.Fields[i].Type)))]);
        var chunk = new RowChunk(schema);
        var rows = 0L;
        while (rows < RowsMax && reader.Read(chunk))
        {
            for (var row = 0; row < chunk.Rows.Count; row++)
            {
                if (chunk.ProblemOf(row) is not null)
                    continue;
                rows++;
                for (var i = 0; i < profiles.Count; i++)
                    Add(profiles[i], chunk.Rows, chunk.Rows.Columns[i], row);
            }
        }

        return rows > 0 ? new FileProfile(profiles, rows) : throw new RowFileException(path, "it has no rows", "Give a file with events in it");
    }

    private static void Add(ColumnProfile profile, EventBatch batch, EventColumn column, int row)
    {
        if (column.Valid[row] == 0)
            profile.AddNull();
        else if (column.Type == FieldType.Timestamp)
            profile.AddTime(column.Lanes[row]);
        else
            profile.Add(batch.Arena.Slice(column.Lanes[row]));
    }

    private static int Rank(string[] words, string name)
    {
        var parts = name.ToLowerInvariant().Split('_', '-', '.', ' ');
        var whole = Array.IndexOf(words, name.ToLowerInvariant());
        var part = Array.FindIndex(words, w => parts.Contains(w));
        return whole >= 0 ? whole : part >= 0 ? words.Length + part : int.MaxValue;
    }
}
