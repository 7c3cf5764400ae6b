using StreamMl.Shared.Events;

namespace StreamMl.Infrastructure.Tables;

/// <summary>A column of a file that cannot be read as a field.</summary>
public sealed record SkippedColumn(string Name, string Type);

/// <summary>
/// A table in a file, read from its first row to its last as columns. Integers become Int64, floats Float64, timestamps and dates of any unit
/// Timestamp (UTC where the file names no zone), text String; columns of other types are skipped and listed. Not thread-safe.
/// </summary>
public abstract class TableReader : IDisposable
{
    /// <summary>The columns, all nullable, in the file's order.</summary>
    public abstract EventSchema Schema { get; }

    public abstract IReadOnlyList<SkippedColumn> Skipped { get; }

    /// <summary>Key-value metadata of the file; empty where the format has none.</summary>
    public virtual IReadOnlyDictionary<string, string> Metadata { get; } = new Dictionary<string, string>(StringComparer.Ordinal);

    /// <summary>Clears the batch and fills it with the next rows, at most <paramref name="maxRows"/>. False behind the last row.</summary>
    public abstract bool Read(EventBatch into, int maxRows);

    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Opens a file by its extension: .parquet, .arrow (or .feather, .ipc) or .csv.</summary>
    /// <param name="path">The file.</param>
    /// <param name="types">Types of columns by name, for a CSV, which has none of its own; others are found from the cells.</param>
    /// <param name="only">The columns that are wanted; null: all. A CSV is read with all of them in any case.</param>
    /// <exception cref="InvalidDataException">Another extension, or not such a file.</exception>
    public static TableReader Open(string path, IReadOnlyDictionary<string, FieldType>? types = null, IReadOnlySet<string>? only = null) => !File.Exists(path)
        ? throw new FileNotFoundException($"there is no file {path}", path)
        : Path.GetExtension(path).ToLowerInvariant() switch
        {
            ".arrow" or ".feather" or ".ipc" => new ArrowTableReader(path, only),
            ".parquet" => new ParquetTableReader(path, only),
            ".csv" => new CsvTableReader(path, types),
            var other => throw new InvalidDataException($"{path}: a table ends in .parquet, .arrow or .csv, not '{other}'"),
        };

    protected virtual void Dispose(bool disposing)
    {
    }
}
