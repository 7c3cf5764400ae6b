using System.Text;
using StreamMl.Shared.Events;

namespace StreamMl.Shared.Log;

/// <summary>
/// The canonical bytes of an entity: the text of its key fields joined by '|', where '\' escapes '|' and '\' inside a field. Integers and
/// timestamps (microseconds) are decimal, booleans true/false. The global entity, with no key fields, is the empty key. The same bytes are
/// the Kafka key and the tail of the store key. Pure; thread-safe.
/// </summary>
public static class EntityKey
{
    public const byte Separator = (byte)'|';
    public const byte Escape = (byte)'\\';

    /// <summary>Joins field texts to a key.</summary>
    public static byte[] FromTexts(IReadOnlyList<string> fields)
    {
        var arena = new Utf8Arena(64);
        for (var i = 0; i < fields.Count; i++)
        {
            if (i > 0)
                arena.Reserve(1)[0] = Separator;
            AppendEscaped(arena, Encoding.UTF8.GetBytes(fields[i]));
        }

        return arena.Slice(Utf8Arena.Pack(0, arena.Length)).ToArray();
    }

    /// <summary>The field texts of a key with <paramref name="fieldCount"/> fields.</summary>
    /// <exception cref="FormatException">The key has another number of fields.</exception>
    public static IReadOnlyList<string> ToTexts(ReadOnlySpan<byte> key, int fieldCount)
    {
        var fields = new List<string>(fieldCount);
        var field = new List<byte>();
        if (fieldCount == 0 && key.IsEmpty)
            return fields;
        for (var i = 0; i < key.Length; i++)
        {
            if (key[i] == Separator)
            {
                fields.Add(Encoding.UTF8.GetString([.. field]));
                field.Clear();
                continue;
            }

            if (key[i] == Escape && i + 1 < key.Length)
                i++;
            field.Add(key[i]);
        }

        fields.Add(Encoding.UTF8.GetString([.. field]));
        return fields.Count == fieldCount
            ? fields
            : throw new FormatException($"entity key '{Encoding.UTF8.GetString(key)}' has {fields.Count} fields where {fieldCount} are expected");
    }

    /// <summary>Appends the key of one row to <paramref name="arena"/> and returns its lane, or -1 where a key field is null.</summary>
    public static long Append(Utf8Arena arena, EventBatch batch, ReadOnlySpan<int> keyColumns, int row)
    {
        var start = arena.Length;
        for (var i = 0; i < keyColumns.Length; i++)
        {
            var column = batch.ColumnSpan[keyColumns[i]];
            if (column.Valid[row] == 0)
            {
                arena.Truncate(start);
                return -1;
            }

            if (i > 0)
                arena.Reserve(1)[0] = Separator;
            AppendField(arena, batch, column, row);
        }

        return Utf8Arena.Pack(start, arena.Length - start);
    }

    /// <summary>Whether text is its own key: it has nothing to escape.</summary>
    public static bool IsPlain(ReadOnlySpan<byte> text) => text.IndexOfAny(Separator, Escape) < 0;

    private static void AppendField(Utf8Arena arena, EventBatch batch, EventColumn column, int row)
    {
        var lane = column.Lanes[row];
        switch (column.Type)
        {
            case FieldType.String:
                AppendEscaped(arena, batch.Arena.Slice(lane));
                break;
            case FieldType.Boolean:
                arena.Append(lane != 0 ? "true"u8 : "false"u8);
                break;
            case FieldType.Int64 or FieldType.Timestamp:
                Span<byte> digits = stackalloc byte[20];
                lane.TryFormat(digits, out var written);
                arena.Append(digits[..written]);
                break;
            default:
                throw new InvalidOperationException($"a {column.Type} field cannot be part of an entity key; use a string or an integer");
        }
    }

    /// <summary>Appends one field of a key, escaped.</summary>
    public static void AppendEscaped(Utf8Arena arena, ReadOnlySpan<byte> text)
    {
        if (IsPlain(text))
        {
            arena.Append(text);
            return;
        }

        foreach (var b in text)
        {
            if (b is Separator or Escape)
                arena.Reserve(1)[0] = Escape;
            arena.Reserve(1)[0] = b;
        }
    }
}
