using System.Text;
using System.Text.Json;

namespace StreamMl.Infrastructure.Avro;

/// <summary>
/// The text of a CSV cell -> Avro. Numbers, booleans (true, false, 1, 0) and times are trimmed; strings are kept as they are; arrays, maps and records
/// are JSON. A null text (<see cref="AvroEncoderOptions.NullTexts"/>) is null where the field is nullable. Thread-safe.
/// </summary>
internal sealed class TextValueWriter(AvroEncoderOptions options, JsonValueWriter json)
{
    public EncodeProblem? Write(ReadOnlySpan<char> text, AvroType type, ByteScratch to)
    {
        if (type.Kind == AvroKind.Union)
            return WriteUnion(text, type, to);
        if (type.Kind is AvroKind.Array or AvroKind.Map or AvroKind.Record)
            return WriteJson(text, type, to);
        return WriteScalar(text, type, to) ? null : EncodeProblem.Found(EncodeProblem.Quote(text), type);
    }

    private EncodeProblem? WriteUnion(ReadOnlySpan<char> text, AvroType union, ByteScratch to)
    {
        var isNull = IsNull(text) && union.Branches.Exists(b => b.Kind == AvroKind.Null);
        var start = to.Length;
        EncodeProblem? last = null;
        for (var i = 0; i < union.Branches.Count; i++)
        {
            var branch = union.Branches[i];
            if (branch.Kind == AvroKind.Null != isNull)
                continue;
            to.AppendVarint(i);
            if (isNull)
                return null;
            var problem = Write(text, branch, to);
            if (problem is null)
                return null;
            to.Truncate(start);
            last = problem.Path.Length > 0 ? problem : last;
        }

        return last ?? EncodeProblem.Found(EncodeProblem.Quote(text), union);
    }

    private static bool WriteScalar(ReadOnlySpan<char> text, AvroType type, ByteScratch to)
    {
        var trimmed = text.Trim();
        switch (type.Kind)
        {
            case AvroKind.String or AvroKind.Enum:
                return ScalarWriter.TryText(type, type.Kind == AvroKind.Enum ? trimmed : text, to);
            case AvroKind.Bytes or AvroKind.Fixed:
                return type.Logical == AvroLogical.Decimal
                    ? NumberText.TryUnscaled(trimmed, type.Scale, out var number) && ScalarWriter.TryDecimal(type, number, type.Scale, to)
                    : ScalarWriter.TryLatin1(type, text, to);
            case AvroKind.Boolean:
                return TryBoolean(trimmed, out var flag) && ScalarWriter.TryBoolean(type, flag, to);
            case AvroKind.Int or AvroKind.Long:
                if (type.IsTimestamp && TimeText.TryParse(trimmed, out var timeUs))
                    return ScalarWriter.TryTime(type, timeUs, to);
                return NumberText.TryLong(trimmed, out var whole) && ScalarWriter.TryWhole(type, whole, to);
            case AvroKind.Float or AvroKind.Double:
                return NumberText.TryDouble(trimmed, out var value) && ScalarWriter.TryNumber(type, value, to);
            default:
                return type.Kind == AvroKind.Null && trimmed.IsEmpty;
        }
    }

    private EncodeProblem? WriteJson(ReadOnlySpan<char> text, AvroType type, ByteScratch to)
    {
        try
        {
            var reader = new Utf8JsonReader(Encoding.UTF8.GetBytes(text.ToString()));
            reader.Read();
            var problem = json.Write(ref reader, type, to);
            return problem is null && reader.Read() ? EncodeProblem.Found(EncodeProblem.Quote(text), type) : problem;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return EncodeProblem.Found($"{EncodeProblem.Quote(text)}, which is not valid JSON,", type);
        }
    }

    private bool IsNull(ReadOnlySpan<char> text)
    {
        var trimmed = text.Trim();
        foreach (var candidate in options.NullTexts)
        {
            if (trimmed.SequenceEqual(candidate))
                return true;
        }

        return false;
    }

    private static bool TryBoolean(ReadOnlySpan<char> text, out bool value)
    {
        value = text is "1" || text.Equals("true", StringComparison.OrdinalIgnoreCase);
        return value || text is "0" || text.Equals("false", StringComparison.OrdinalIgnoreCase);
    }
}
