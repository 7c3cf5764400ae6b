using System.Text;
using System.Text.Json;

namespace StreamMl.Infrastructure.Avro;

/// <summary>
/// JSON -> Avro, token by token. A union takes plain values (the first branch that fits) and Avro's own JSON form (<c>{"long": 5}</c>). The
/// reader stands on the first token of a value and is left on its last. Malformed JSON is the reader's <see cref="JsonException"/>.
/// Thread-safe once its encoder is made.
/// </summary>
internal sealed class JsonValueWriter(AvroEncoderOptions options)
{
    private const int MaxTimeLength = 64;
    private readonly Dictionary<AvroFieldType, byte[]?> defaults = new(ReferenceEqualityComparer.Instance);

    public EncodeProblem? Write(ref Utf8JsonReader json, AvroType type, ByteScratch to) => type.Kind switch
    {
        AvroKind.Union => WriteUnion(ref json, type, to),
        AvroKind.Array => WriteArray(ref json, type, to),
        AvroKind.Map => WriteMap(ref json, type, to),
        AvroKind.Record => WriteRecord(ref json, type, to),
        _ => WriteScalar(ref json, type, to) ? null : EncodeProblem.Found(Show(ref json), type),
    };

    /// <summary>The fields of an object; <paramref name="starts"/> (-1: none) and <paramref name="lengths"/> say where each was encoded to.</summary>
    public EncodeProblem? WriteFields(ref Utf8JsonReader json, AvroType record, ByteScratch to, scoped Span<int> starts, scoped Span<int> lengths)
    {
        if (json.TokenType != JsonTokenType.StartObject)
            return EncodeProblem.Found(Show(ref json), record);
        var next = 0;
        while (json.Read() && json.TokenType != JsonTokenType.EndObject)
        {
            var index = IndexOf(ref json, record, next);
            if (index < 0)
            {
                if (!options.IgnoreUnknownFields)
                    return Unknown(json.GetString()!, record);
                json.Skip();
                continue;
            }

            var field = record.Fields[index];
            if (starts[index] >= 0)
                return new EncodeProblem(field.Name, "it is there twice; send it once");
            json.Read();
            starts[index] = to.Length;
            var problem = Write(ref json, field.Type, to);
            if (problem is not null)
                return problem.Under(field.Name);
            lengths[index] = to.Length - starts[index];
            next = index + 1;
        }

        return json.TokenType == JsonTokenType.EndObject ? null : throw new JsonException("the object does not end");
    }

    /// <summary>What a record gets where a field is missing: its default, else null where it is nullable; null: it must be there.</summary>
    public byte[]? DefaultOf(AvroFieldType field) => defaults.GetValueOrDefault(field);

    public static EncodeProblem Missing(AvroFieldType field) =>
        EncodeProblem.Found("nothing", field.Type).Under(field.Name);

    /// <summary>Encodes the defaults of every record under <paramref name="type"/>; called once, before anything is written.</summary>
    /// <exception cref="AvroSchemaException">A default is not a value of its field's type.</exception>
    public void PrepareDefaults(AvroType type, HashSet<AvroType> seen)
    {
        if (!seen.Add(type))
            return;
        if (type.Items is not null)
            PrepareDefaults(type.Items, seen);
        foreach (var branch in type.Branches)
            PrepareDefaults(branch, seen);
        foreach (var field in type.Fields)
        {
            PrepareDefaults(field.Type, seen);
            defaults[field] = EncodeDefault(field);
        }
    }

    private byte[]? EncodeDefault(AvroFieldType field)
    {
        var to = new ByteScratch();
        if (field.Default is { } value)
        {
            var json = new Utf8JsonReader(Encoding.UTF8.GetBytes(value.GetRawText()));
            json.Read();
            if (Write(ref json, field.Type, to) is { } problem)
                throw new AvroSchemaException($"the default of field '{field.Name}' is not a value of its type: {problem}", "Correct the default in the schema");
            return to.Slice(0, to.Length).ToArray();
        }

        var nullAt = field.Type.Branches.FindIndex(b => b.Kind == AvroKind.Null);
        if (nullAt < 0)
            return null;
        to.AppendVarint(nullAt);
        return to.Slice(0, to.Length).ToArray();
    }

    private EncodeProblem? WriteRecord(ref Utf8JsonReader json, AvroType record, ByteScratch to)
    {
        var count = record.Fields.Count;
        var starts = count <= 64 ? stackalloc int[count] : new int[count];
        var lengths = count <= 64 ? stackalloc int[count] : new int[count];
        starts.Fill(-1);
        var begin = to.Length;
        if (WriteFields(ref json, record, to, starts, lengths) is { } problem)
            return problem;
        var read = to.Length - begin;
        var ordered = true;
        var at = begin;
        for (var i = 0; i < count; i++)
        {
            ordered &= starts[i] == at;
            at += lengths[i];
        }

        // JSON has properties in any order, Avro has the schema's: put them together behind, then take the first copy out.
        for (var i = 0; !ordered && i < count; i++)
        {
            if (starts[i] >= 0)
                to.AppendOwn(starts[i], lengths[i]);
            else if (DefaultOf(record.Fields[i]) is { } value)
                to.Append(value);
            else
                return Missing(record.Fields[i]);
        }

        if (!ordered)
            to.Remove(begin, read);
        return null;
    }

    private EncodeProblem? WriteUnion(ref Utf8JsonReader json, AvroType union, ByteScratch to)
    {
        if (TryTagged(ref json, union, out var tagged))
        {
            to.AppendVarint(tagged);
            json.Read();
            json.Read();
            var problem = Write(ref json, union.Branches[tagged], to);
            json.Read();
            return problem;
        }

        var start = to.Length;
        EncodeProblem? last = null;
        for (var i = 0; i < union.Branches.Count; i++)
        {
            var branch = union.Branches[i];
            if (branch.Kind == AvroKind.Null != (json.TokenType == JsonTokenType.Null))
                continue;
            var attempt = json;
            to.AppendVarint(i);
            var problem = Write(ref attempt, branch, to);
            if (problem is null)
            {
                json = attempt;
                return null;
            }

            to.Truncate(start);
            last = problem.Path.Length > 0 ? problem : last;
        }

        return last ?? EncodeProblem.Found(Show(ref json), union);
    }

    /// <summary>An object with one property named as a branch of the union: Avro's own JSON form.</summary>
    private static bool TryTagged(ref Utf8JsonReader json, AvroType union, out int branch)
    {
        branch = -1;
        if (json.TokenType != JsonTokenType.StartObject)
            return false;
        var ahead = json;
        if (!ahead.Read() || ahead.TokenType != JsonTokenType.PropertyName)
            return false;
        for (var i = 0; i < union.Branches.Count && branch < 0; i++)
        {
            if (union.Branches[i].Kind != AvroKind.Null && ahead.ValueTextEquals(union.Branches[i].Name))
                branch = i;
        }

        return branch >= 0 && ahead.Read() && ahead.TrySkip() && ahead.Read() && ahead.TokenType == JsonTokenType.EndObject;
    }

    private EncodeProblem? WriteArray(ref Utf8JsonReader json, AvroType array, ByteScratch to)
    {
        if (json.TokenType != JsonTokenType.StartArray)
            return EncodeProblem.Found(Show(ref json), array);
        var start = to.Length;
        var count = 0;
        for (; json.Read() && json.TokenType != JsonTokenType.EndArray; count++)
        {
            if (Write(ref json, array.Items!, to) is { } problem)
                return problem.Under($"[{count}]");
        }

        EndBlocks(to, start, count);
        return null;
    }

    private EncodeProblem? WriteMap(ref Utf8JsonReader json, AvroType map, ByteScratch to)
    {
        if (json.TokenType != JsonTokenType.StartObject)
            return EncodeProblem.Found(Show(ref json), map);
        var start = to.Length;
        var count = 0;
        for (; json.Read() && json.TokenType != JsonTokenType.EndObject; count++)
        {
            WriteString(ref json, to);
            var key = json;
            json.Read();
            if (Write(ref json, map.Items!, to) is { } problem)
                return problem.Under($"[{EncodeProblem.Quote(key.GetString())}]");
        }

        EndBlocks(to, start, count);
        return null;
    }

    /// <summary>One block with all items, then the empty block.</summary>
    private static void EndBlocks(ByteScratch to, int start, int count)
    {
        if (count > 0)
            to.InsertVarint(start, count);
        to.AppendVarint(0);
    }

    private static bool WriteScalar(ref Utf8JsonReader json, AvroType type, ByteScratch to)
    {
        switch (json.TokenType)
        {
            case JsonTokenType.Null:
                return type.Kind == AvroKind.Null;
            case JsonTokenType.True or JsonTokenType.False:
                return ScalarWriter.TryBoolean(type, json.TokenType == JsonTokenType.True, to);
            case JsonTokenType.Number when type.Logical == AvroLogical.Decimal:
                return NumberText.TryUnscaled(Encoding.UTF8.GetString(Raw(ref json)), type.Scale, out var number) && ScalarWriter.TryDecimal(type, number, type.Scale, to);
            case JsonTokenType.Number:
                if (json.TryGetInt64(out var whole))
                    return ScalarWriter.TryWhole(type, whole, to);
                return json.TryGetDouble(out var value) && double.IsFinite(value) && ScalarWriter.TryNumber(type, value, to);
            case JsonTokenType.String:
                return WriteText(ref json, type, to);
            default:
                return false;
        }
    }

    private static bool WriteText(ref Utf8JsonReader json, AvroType type, ByteScratch to)
    {
        switch (type.Kind)
        {
            case AvroKind.String:
                WriteString(ref json, to);
                return true;
            case AvroKind.Enum:
                for (var i = 0; i < type.Symbols.Count; i++)
                {
                    if (!json.ValueTextEquals(type.Symbols[i]))
                        continue;
                    to.AppendVarint(i);
                    return true;
                }

                return false;
            case AvroKind.Float or AvroKind.Double:
                return NumberText.IsNonFiniteName(json.GetString(), out var value) && ScalarWriter.TryNumber(type, value, to);
            case AvroKind.Bytes or AvroKind.Fixed:
                return type.Logical == AvroLogical.Decimal
                    ? NumberText.TryUnscaled(json.GetString(), type.Scale, out var number) && ScalarWriter.TryDecimal(type, number, type.Scale, to)
                    : ScalarWriter.TryLatin1(type, json.GetString(), to);
            default:
                if (!type.IsTimestamp || Size(ref json) > MaxTimeLength)
                    return false;
                Span<char> text = stackalloc char[MaxTimeLength];
                return TimeText.TryParse(text[..json.CopyString(text)], out var timeUs) && ScalarWriter.TryTime(type, timeUs, to);
        }
    }

    private static void WriteString(ref Utf8JsonReader json, ByteScratch to)
    {
        var start = to.Length;
        var written = json.CopyString(to.Reserve(Size(ref json)));
        to.Truncate(start + written);
        to.InsertVarint(start, written);
    }

    private static int Size(ref Utf8JsonReader json) => json.HasValueSequence ? checked((int)json.ValueSequence.Length) : json.ValueSpan.Length;

    private static byte[] Raw(ref Utf8JsonReader json) =>
        json.HasValueSequence ? System.Buffers.BuffersExtensions.ToArray(json.ValueSequence) : json.ValueSpan.ToArray();

    private static string Show(ref Utf8JsonReader json) => json.TokenType switch
    {
        JsonTokenType.StartObject => "an object",
        JsonTokenType.StartArray => "an array",
        JsonTokenType.String => EncodeProblem.Quote(json.GetString()),
        JsonTokenType.Null => "null",
        _ => Encoding.UTF8.GetString(Raw(ref json)),
    };

    private static int IndexOf(ref Utf8JsonReader json, AvroType record, int guess)
    {
        var fields = record.Fields;
        if (guess < fields.Count && json.ValueTextEquals(fields[guess].Name))
            return guess;
        for (var i = 0; i < fields.Count; i++)
        {
            if (json.ValueTextEquals(fields[i].Name))
                return i;
        }

        return -1;
    }

    private static EncodeProblem Unknown(string name, AvroType record) => new(
        name, $"the schema {record.Name} does not have it (it has {string.Join(", ", record.Fields.Select(f => f.Name))}); remove it, add it to the schema, or ignore unknown fields");
}
