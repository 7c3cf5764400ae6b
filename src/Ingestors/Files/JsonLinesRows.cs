using System.Text.Json;
using StreamMl.Shared.Events;

namespace StreamMl.Ingestors.Files;

/// <summary>
/// One JSON object a line. Members of nested objects are columns named with dots (<c>user.id</c>); arrays are their JSON text. A line that is no
/// object is a problem of its row; blank lines are passed over.
/// </summary>
internal sealed class JsonLinesRows : IRowReader
{
    private const int RowsLookedAt = 1000;

    private readonly LineReader lines;
    private readonly JsonRow parser;
    private long rowNumber;

    public JsonLinesRows(string path, IReadOnlyList<CellBinding> bindings)
    {
        lines = new LineReader(path);
        parser = new JsonRow(bindings);
    }

    public static IReadOnlyList<FileColumn> Columns(string path)
    {
        var names = new Dictionary<string, FileColumn>(StringComparer.Ordinal);
        using var reader = new LineReader(path);
        for (var i = 0; i < RowsLookedAt && reader.TryRead(out var line); i++)
        {
            try
            {
                using var document = JsonDocument.Parse(line);
                if (document.RootElement.ValueKind == JsonValueKind.Object)
                    AddNames(document.RootElement, "", names);
            }
            catch (JsonException)
            {
                // Not swallowed: the same line becomes a dead letter when the file is read.
                continue;
            }
        }

        return [.. names.Values];
    }

    public bool Read(RowChunk chunk)
    {
        chunk.Clear();
        while (chunk.Rows.Count < chunk.Capacity && lines.TryRead(out var line))
        {
            if (line.Span.Trim(" \t\r"u8).IsEmpty)
                continue;
            var row = chunk.Rows.NextRow();
            chunk.Rows.Count = row + 1;
            chunk.Rows.Offsets[row] = ++rowNumber;
            chunk.SetRaw(row, line.Span);
            parser.Read(chunk, row, line.Span);
        }

        return chunk.Rows.Count > 0;
    }

    public void Dispose() => lines.Dispose();

    private static void AddNames(JsonElement element, string prefix, Dictionary<string, FileColumn> names)
    {
        foreach (var property in element.EnumerateObject())
        {
            var name = prefix + property.Name;
            if (property.Value.ValueKind == JsonValueKind.Object)
                AddNames(property.Value, name + ".", names);
            else
                names.TryAdd(name, new FileColumn(name, FieldType.String, IsText: true));
        }
    }
}
