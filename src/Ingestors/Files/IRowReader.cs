using StreamMl.Shared.Events;

namespace StreamMl.Ingestors.Files;

/// <summary>One column of a file into one column of a chunk.</summary>
/// <param name="Column">Its name in the file.</param>
/// <param name="Target">The column of <see cref="RowChunk.Rows"/>.</param>
/// <param name="Format">What it becomes there.</param>
internal sealed record CellBinding(string Column, int Target, CellFormat Format);

/// <summary>Streams a file's rows in its order, in bounded memory. Not thread-safe.</summary>
internal interface IRowReader : IDisposable
{
    /// <summary>
    /// Clears the chunk and fills it with the next rows. Cells that cannot be read become problems of their rows, not exceptions; null cells
    /// and absent columns are null. Returns false at the end of the file, with an empty chunk.
    /// </summary>
    /// <exception cref="RowFileException">The file itself is broken.</exception>
    bool Read(RowChunk chunk);
}

/// <summary>A column as the file declares it. Text files declare <see cref="FieldType.String"/> for all.</summary>
internal sealed record FileColumn(string Name, FieldType Type, bool IsText);

/// <summary>A file that cannot be read: what was found, and the remedy.</summary>
public sealed class RowFileException(string path, string problem, string remedy, Exception? inner = null)
    : Exception($"{path}: {problem}. {remedy}", inner)
{
    public string Path { get; } = path;
}
