using System.Text;
using StreamMl.Shared.Events;

namespace StreamMl.Ingestors.Files;

/// <summary>
/// Up to some thousand rows of a file as typed columns; reused from chunk to chunk. <see cref="EventBatch.Offsets"/> holds the rows'
/// numbers in the file, from 1. Not thread-safe.
/// </summary>
internal sealed class RowChunk(EventSchema schema, int rows = RowChunk.DefaultRows)
{
    /// <summary>Bounds the memory of a reader: rows of about 1 KiB make 4 MiB.</summary>
    public const int DefaultRows = 4096;

    private readonly string?[] problems = new string?[rows];
    private readonly long[] raw = new long[rows];
    private readonly Utf8Arena rawText = new();
    private bool hasRaw;

    public EventBatch Rows { get; } = new(schema, rows);

    public int Capacity => rows;

    /// <summary>Why the row cannot be an event; null where nothing is known against it.</summary>
    public string? ProblemOf(int row) => problems[row];

    /// <summary>The first problem of a row stays.</summary>
    public void SetProblem(int row, string problem) => problems[row] ??= problem;

    /// <summary>A cell that could not be read.</summary>
    public void SetProblem(int row, string column, ReadOnlySpan<byte> text, string? problem) =>
        SetProblem(row, $"column '{column}': '{Encoding.UTF8.GetString(text[..Math.Min(text.Length, 100)])}' {problem}");

    /// <summary>The bytes that stood in the file, where it is a text file.</summary>
    public void SetRaw(int row, ReadOnlySpan<byte> text)
    {
        hasRaw = true;
        raw[row] = rawText.Append(text);
    }

    public void SetRaw(int row, ReadOnlySpan<char> text)
    {
        hasRaw = true;
        var start = rawText.Length;
        var span = rawText.Reserve(Encoding.UTF8.GetMaxByteCount(text.Length));
        var written = Encoding.UTF8.GetBytes(text, span);
        rawText.Truncate(start + written);
        raw[row] = Utf8Arena.Pack(start, written);
    }

    /// <summary>The bytes that stood in the file, or for a binary file the row as a JSON object of the cells that were read.</summary>
    public byte[] OriginalOf(int row) => hasRaw ? rawText.Slice(raw[row]).ToArray() : RowJson.Write(Rows, row);

    public void Clear()
    {
        Array.Clear(problems, 0, Rows.Count);
        rawText.Clear();
        hasRaw = false;
        Rows.Clear();
    }
}
