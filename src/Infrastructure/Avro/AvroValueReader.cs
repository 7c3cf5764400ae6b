using System.Buffers.Binary;
using System.Text;
using StreamMl.Shared.Time;

namespace StreamMl.Infrastructure.Avro;

/// <summary>
/// Reads a record of a known writer schema as CLR values: null, bool, long, double, string, byte[], DateTime (UTC) for timestamps, lists, and dictionaries
/// by field or map key. The slow, general way, for tools; events go through <see cref="EventDecoder"/>. Thread-safe.
/// </summary>
public sealed class AvroValueReader
{
    private readonly AvroType record;

    /// <exception cref="AvroSchemaException">Not an Avro record schema.</exception>
    public AvroValueReader(string schemaJson) => record = AvroTypeParser.ParseRecord(schemaJson);

    /// <summary>The docs of the fields of a nested record, by field name; where a field has none, its name.</summary>
    public IReadOnlyDictionary<string, string> DocsOf(string field) =>
        record.Fields.Find(f => f.Name == field)?.Type.Fields.ToDictionary(f => f.Name, f => f.Doc ?? f.Name, StringComparer.Ordinal) ?? [];

    /// <param name="body">The Avro body, behind the wire header.</param>
    /// <exception cref="InvalidDataException">The bytes are not such a record.</exception>
    public IReadOnlyDictionary<string, object?> Read(ReadOnlySpan<byte> body)
    {
        var at = 0;
        var value = (IReadOnlyDictionary<string, object?>)ReadValue(record, body, ref at)!;
        return at == body.Length ? value : throw new InvalidDataException($"{body.Length - at} bytes stand behind a {record.Describe()} of {at} bytes: it was written with another schema");
    }

    private static object? ReadValue(AvroType type, ReadOnlySpan<byte> from, ref int at)
    {
        switch (type.Kind)
        {
            case AvroKind.Null: return null;
            case AvroKind.Boolean: return Take(from, ref at, 1)[0] != 0;
            case AvroKind.Int or AvroKind.Long: return Timed(type, ReadLong(from, ref at));
            case AvroKind.Float: return (double)BinaryPrimitives.ReadSingleLittleEndian(Take(from, ref at, 4));
            case AvroKind.Double: return BinaryPrimitives.ReadDoubleLittleEndian(Take(from, ref at, 8));
            case AvroKind.String: return Encoding.UTF8.GetString(Take(from, ref at, ReadLong(from, ref at)));
            case AvroKind.Bytes: return Take(from, ref at, ReadLong(from, ref at)).ToArray();
            case AvroKind.Fixed: return Take(from, ref at, type.Size).ToArray();
            case AvroKind.Enum: return type.Symbols[checked((int)ReadLong(from, ref at))];
            case AvroKind.Union: return ReadValue(Branch(type, ReadLong(from, ref at)), from, ref at);
            case AvroKind.Array: return ReadItems(type, from, ref at);
            case AvroKind.Map: return ReadMap(type, from, ref at);
            default:
                var fields = new Dictionary<string, object?>(type.Fields.Count, StringComparer.Ordinal);
                foreach (var field in type.Fields)
                    fields.Add(field.Name, ReadValue(field.Type, from, ref at));
                return fields;
        }
    }

    private static List<object?> ReadItems(AvroType type, ReadOnlySpan<byte> from, ref int at)
    {
        var items = new List<object?>();
        for (var count = ReadCount(from, ref at); count > 0; count = ReadCount(from, ref at))
        {
            for (var i = 0L; i < count; i++)
                items.Add(ReadValue(type.Items!, from, ref at));
        }

        return items;
    }

    private static Dictionary<string, object?> ReadMap(AvroType type, ReadOnlySpan<byte> from, ref int at)
    {
        var items = new Dictionary<string, object?>(StringComparer.Ordinal);
        for (var count = ReadCount(from, ref at); count > 0; count = ReadCount(from, ref at))
        {
            for (var i = 0L; i < count; i++)
            {
                var key = Encoding.UTF8.GetString(Take(from, ref at, ReadLong(from, ref at)));
                items[key] = ReadValue(type.Items!, from, ref at);
            }
        }

        return items;
    }

    /// <summary>A negative count is followed by the block's size in bytes.</summary>
    private static long ReadCount(ReadOnlySpan<byte> from, ref int at)
    {
        var count = ReadLong(from, ref at);
        if (count >= 0)
            return count;
        _ = ReadLong(from, ref at);
        return -count;
    }

    private static AvroType Branch(AvroType union, long index) => index >= 0 && index < union.Branches.Count
        ? union.Branches[(int)index]
        : throw new InvalidDataException($"branch {index} of a {union.Describe()}: the bytes were written with another schema");

    private static object Timed(AvroType type, long value) => type.Logical switch
    {
        AvroLogical.TimestampMillis => TimeGrid.ToDateTime(value * 1_000),
        AvroLogical.TimestampMicros => TimeGrid.ToDateTime(value),
        _ => value,
    };

    private static unsafe long ReadLong(ReadOnlySpan<byte> from, ref int at)
    {
        fixed (byte* start = from)
        {
            var next = start + at;
            if (!Varint.TryRead(ref next, start + from.Length, out var value))
                throw new InvalidDataException($"no number at byte {at} of {from.Length}: the bytes were cut, or written with another schema");
            at = (int)(next - start);
            return value;
        }
    }

    private static ReadOnlySpan<byte> Take(ReadOnlySpan<byte> from, ref int at, long count)
    {
        if (count < 0 || count > from.Length - at)
            throw new InvalidDataException($"{count} bytes are wanted at byte {at} of {from.Length}: the bytes were cut, or written with another schema");
        at += (int)count;
        return from.Slice(at - (int)count, (int)count);
    }
}
