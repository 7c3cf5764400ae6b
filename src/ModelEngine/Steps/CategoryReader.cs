using System.Buffers.Binary;
using System.IO.Hashing;
using System.Runtime.CompilerServices;
using StreamMl.Shared.Features;

namespace StreamMl.ModelEngine.Steps;

/// <summary>
/// Reads a category of a row as bytes: a string's UTF-8 as it stands in the row's arena, a number's double as 8 little-endian bytes (-0 as 0). Nothing is copied
/// or allocated. Immutable; thread-safe.
/// </summary>
internal sealed class CategoryReader(ColumnBinding source)
{
    public const int NumberBytes = 8;

    public bool IsText { get; } = source.Kind switch
    {
        ColumnKind.Text => true,
        ColumnKind.Number => false,
        _ => throw PipelineCompiler.Unsound($"the pipeline reads the timestamp '{source.Name}' as a category"),
    };

    /// <param name="buffer">At least <see cref="NumberBytes"/>; the answer may lie in it.</param>
    /// <returns>False where the value is missing.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool TryRead(FeatureRow row, double[] registers, Span<byte> buffer, out ReadOnlySpan<byte> category)
    {
        if (IsText)
        {
            category = row.Valid[source.Index] != 0 ? row.Arena.Slice(row.Lanes[source.Index]) : source.Fallback;
            return row.Valid[source.Index] != 0 || source.Fallback is not null;
        }

        var value = registers[source.Index];
        WriteNumber(value, buffer);
        category = buffer[..NumberBytes];
        return !double.IsNaN(value);
    }

    /// <summary>The bytes under which a category of a fitted step is found.</summary>
    public byte[] Bytes(string category)
    {
        if (IsText)
            return System.Text.Encoding.UTF8.GetBytes(category);
        var bytes = new byte[NumberBytes];
        WriteNumber(PipelineCompiler.ParseNumber(source.Name, category), bytes);
        return bytes;
    }

    /// <summary>The category's text in a fitted step.</summary>
    public string Text(ReadOnlySpan<byte> category) =>
        IsText ? System.Text.Encoding.UTF8.GetString(category) : NumberCategory.Text(BinaryPrimitives.ReadDoubleLittleEndian(category));

    public CategoryTable Table(IEnumerable<string> categories)
    {
        var table = new CategoryTable();
        foreach (var category in categories)
        {
            var before = table.Count;
            table.GetOrAdd(Bytes(category));
            if (table.Count == before)
                throw PipelineCompiler.Unsound($"category '{category}' of column '{source.Name}' is listed twice");
        }

        return table;
    }

    /// <summary>Bucket of a category: seeded XxHash64 modulo the number of buckets.</summary>
    public static int Bucket(ReadOnlySpan<byte> category, int buckets, long seed) => (int)(XxHash64.HashToUInt64(category, seed) % (ulong)buckets);

    private static void WriteNumber(double value, Span<byte> buffer) => BinaryPrimitives.WriteDoubleLittleEndian(buffer, value + 0.0);
}
