using ParquetSharp;

namespace StreamMl.Ingestors.Files;

/// <summary>
/// Parquet, column by column into the chunk's lanes, a page at a time: memory is bounded by the pages of the columns that are read. Flat columns of
/// booleans, whole numbers, floats, strings and timestamps; others are not listed.
/// </summary>
internal sealed class ParquetRows : IRowReader
{
    private readonly string path;
    private readonly ParquetFileReader file;
    private readonly (CellBinding Binding, int Column)[] columns;
    private readonly List<CellBinding> absent = [];
    private readonly List<ParquetColumn> open = [];
    private RowGroupReader? group;
    private int nextGroup;
    private long leftInGroup;
    private long rowNumber;

    public ParquetRows(string path, IReadOnlyList<CellBinding> bindings)
    {
        this.path = path;
        file = OpenParquet(path);
        var indexes = Enumerable.Range(0, file.FileMetaData.NumColumns).ToDictionary(i => NameOf(file, i), i => i, StringComparer.Ordinal);
        absent.AddRange(bindings.Where(b => !indexes.ContainsKey(b.Column)));
        columns = [.. bindings.Where(b => indexes.ContainsKey(b.Column)).Select(b => (b, indexes[b.Column]))];
    }

    public static IReadOnlyList<FileColumn> Columns(string path)
    {
        using var parquet = OpenParquet(path);
        return [.. Enumerable.Range(0, parquet.FileMetaData.NumColumns)
            .Select(i => (Name: NameOf(parquet, i), Type: ParquetColumn.TypeOf(parquet.FileMetaData.Schema.Column(i))))
            .Where(c => c.Type is not null).Select(c => new FileColumn(c.Name, c.Type!.Value, IsText: false))];
    }

    public bool Read(RowChunk chunk)
    {
        chunk.Clear();
        try
        {
            // Chunks end where a row group ends, so that a column is read in one piece.
            while (leftInGroup == 0)
            {
                if (!OpenNextGroup())
                    return false;
            }

            var count = (int)Math.Min(chunk.Capacity, leftInGroup);
            FillRows(chunk, count);
            leftInGroup -= count;
            return true;
        }
        catch (ParquetException e)
        {
            throw new RowFileException(path, $"it cannot be read after row {rowNumber}: {e.Message}", "Write the file again; it may be cut off", e);
        }
    }

    public void Dispose()
    {
        CloseGroup();
        file.Dispose();
    }

    private void FillRows(RowChunk chunk, int count)
    {
        for (var row = 0; row < count; row++)
            chunk.Rows.Offsets[row] = ++rowNumber;
        chunk.Rows.Count = count;
        foreach (var column in open)
            column.Read(chunk, count);
        foreach (var binding in absent)
            Array.Clear(chunk.Rows.Columns[binding.Target].Valid, 0, count);
    }

    private bool OpenNextGroup()
    {
        CloseGroup();
        if (nextGroup == file.FileMetaData.NumRowGroups)
            return false;
        group = file.RowGroup(nextGroup++);
        leftInGroup = group.MetaData.NumRows;
        foreach (var (binding, column) in columns)
            open.Add(ParquetColumn.Open(path, group.Column(column), binding));
        return true;
    }

    private void CloseGroup()
    {
        foreach (var column in open)
            column.Dispose();
        open.Clear();
        group?.Dispose();
        group = null;
    }

    private static string NameOf(ParquetFileReader parquet, int column) => parquet.FileMetaData.Schema.Column(column).Path.ToDotString();

    private static ParquetFileReader OpenParquet(string path)
    {
        try
        {
            return new ParquetFileReader(path);
        }
        catch (ParquetException e)
        {
            throw new RowFileException(path, $"it is no Parquet file: {e.Message}", "Write it again, or name it by what it is (.csv, .jsonl)", e);
        }
    }
}
