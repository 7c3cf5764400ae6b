namespace StreamMl.Ingestors.Files;

/// <summary>The kinds of file that events are read from, told by the name's ending.</summary>
internal enum RowFileKind
{
    Csv,
    JsonLines,
    Parquet,
}

/// <summary>How a text file is written where it is not as usual.</summary>
/// <param name="Delimiter">Of CSV; null: found from the first line.</param>
/// <param name="Nulls">Texts of CSV cells that mean null, besides the empty one.</param>
internal sealed record RowFileOptions(char? Delimiter = null, IReadOnlyList<string>? Nulls = null)
{
    public static RowFileOptions Default { get; } = new();
}

/// <summary>Opens files of rows. Thread-safe.</summary>
internal static class RowFile
{
    private const string Known = ".csv, .tsv, .jsonl, .ndjson, .json (one object a line) and .parquet";

    /// <exception cref="RowFileException">The name ends with nothing known.</exception>
    public static RowFileKind KindOf(string path) => Path.GetExtension(path).ToUpperInvariant() switch
    {
        ".CSV" or ".TSV" or ".TXT" => RowFileKind.Csv,
        ".JSONL" or ".NDJSON" or ".JSON" => RowFileKind.JsonLines,
        ".PARQUET" or ".PQ" => RowFileKind.Parquet,
        var other => throw new RowFileException(path, $"no reader for files that end with '{other}'", $"Known are {Known}"),
    };

    /// <summary>The columns of the file; for JSON lines those of its first thousand rows.</summary>
    /// <exception cref="RowFileException">Not there, or broken.</exception>
    public static IReadOnlyList<FileColumn> Columns(string path, RowFileOptions? options = null) => KindOf(Existing(path)) switch
    {
        RowFileKind.Csv => CsvRows.Columns(path, options ?? RowFileOptions.Default),
        RowFileKind.JsonLines => JsonLinesRows.Columns(path),
        _ => ParquetRows.Columns(path),
    };

    /// <exception cref="RowFileException">Not there, or broken.</exception>
    public static IRowReader Open(string path, IReadOnlyList<CellBinding> bindings, RowFileOptions? options = null) => KindOf(Existing(path)) switch
    {
        RowFileKind.Csv => new CsvRows(path, bindings, options ?? RowFileOptions.Default),
        RowFileKind.JsonLines => new JsonLinesRows(path, bindings),
        _ => new ParquetRows(path, bindings),
    };

    private static string Existing(string path) =>
        File.Exists(path) ? path : throw new RowFileException(path, "there is no such file", "Check the path; relative ones start at the mapping file");
}
