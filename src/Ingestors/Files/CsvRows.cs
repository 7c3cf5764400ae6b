using System.Text;
using StreamMl.Shared.Events;
using Sylvan.Data.Csv;

namespace StreamMl.Ingestors.Files;

/// <summary>CSV with a header line. An empty cell is null; a row with too few or too many cells is a problem of that row.</summary>
internal sealed class CsvRows : IRowReader
{
    /// <summary>The longest record that is read, in characters.</summary>
    public const int MaxRecordLength = 4 * 1024 * 1024;

    private readonly string path;
    private readonly CsvDataReader reader;
    private readonly (int Ordinal, CellBinding Binding)[] columns;
    private readonly string[] nulls;
    private readonly int expectedFields;
    private byte[] utf8 = new byte[256];
    private long rowNumber;

    public CsvRows(string path, IReadOnlyList<CellBinding> bindings, RowFileOptions options)
    {
        this.path = path;
        reader = OpenCsv(path, options);
        expectedFields = reader.FieldCount;
        nulls = [.. options.Nulls ?? []];
        var ordinals = Enumerable.Range(0, reader.FieldCount).Select(i => (Name: reader.GetName(i), Ordinal: i)).DistinctBy(c => c.Name).ToDictionary(c => c.Name, c => c.Ordinal, StringComparer.Ordinal);
        columns = [.. bindings.Select(b => (ordinals.GetValueOrDefault(b.Column, -1), b))];
    }

    public static IReadOnlyList<FileColumn> Columns(string path, RowFileOptions options)
    {
        using var csv = OpenCsv(path, options);
        return [.. Enumerable.Range(0, csv.FieldCount).Select(i => new FileColumn(csv.GetName(i), FieldType.String, IsText: true))];
    }

    public bool Read(RowChunk chunk)
    {
        chunk.Clear();
        try
        {
            while (chunk.Rows.Count < chunk.Capacity && reader.Read())
                ReadRow(chunk);
        }
        catch (Exception e) when (e is CsvFormatException or CsvRecordTooLargeException)
        {
            throw new RowFileException(path, $"row {rowNumber + 1} is no CSV record: {e.Message}", $"Check its quotes; a record has at most {MaxRecordLength:N0} characters", e);
        }

        return chunk.Rows.Count > 0;
    }

    public void Dispose() => reader.Dispose();

    private static CsvDataReader OpenCsv(string path, RowFileOptions options)
    {
        try
        {
            // Sylvan's default is to have the caller's reader stay open; here the file belongs to the CSV reader.
            return CsvDataReader.Create(path, new CsvDataReaderOptions
            {
                Delimiter = options.Delimiter,
                BufferSize = 64 * 1024,
                MaxBufferSize = MaxRecordLength,
                HasHeaders = true,
                ResultSetMode = ResultSetMode.SingleResult,
            });
        }
        catch (Exception e) when (e is CsvFormatException or CsvMissingHeadersException or CsvRecordTooLargeException)
        {
            throw new RowFileException(path, $"it has no CSV header line: {e.Message}", "Name the columns in the first line", e);
        }
    }

    private void ReadRow(RowChunk chunk)
    {
        var row = chunk.Rows.NextRow();
        chunk.Rows.Count = row + 1;
        chunk.Rows.Offsets[row] = ++rowNumber;
        chunk.SetRaw(row, reader.GetRawRecordSpan().TrimEnd("\r\n"));
        if (reader.RowFieldCount != expectedFields)
            chunk.SetProblem(row, $"the row has {reader.RowFieldCount} cells where the header names {expectedFields}");
        foreach (var (ordinal, binding) in columns)
        {
            var column = chunk.Rows.Columns[binding.Target];
            var cell = ordinal >= 0 && ordinal < reader.RowFieldCount ? reader.GetFieldSpan(ordinal) : default;
            if (cell.IsEmpty || IsNull(cell))
                column.SetNull(row);
            else
                ReadCell(chunk, row, column, cell, binding);
        }
    }

    private void ReadCell(RowChunk chunk, int row, EventColumn column, ReadOnlySpan<char> cell, CellBinding binding)
    {
        var length = Encoding.UTF8.GetMaxByteCount(cell.Length);
        if (utf8.Length < length)
            utf8 = new byte[length];
        var text = utf8.AsSpan(0, Encoding.UTF8.GetBytes(cell, utf8));
        if (binding.Format.TryParse(text, chunk.Rows.Arena, out var lane, out var problem))
        {
            column.Set(row, lane);
            return;
        }

        column.SetNull(row);
        chunk.SetProblem(row, binding.Column, text, problem);
    }

    private bool IsNull(ReadOnlySpan<char> cell)
    {
        foreach (var text in nulls)
        {
            if (cell.SequenceEqual(text))
                return true;
        }

        return false;
    }
}
