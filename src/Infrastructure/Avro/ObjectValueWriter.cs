using System.Globalization;
using System.Text.Json;
using StreamMl.Shared.Time;

namespace StreamMl.Infrastructure.Avro;

/// <summary>CLR values -> Avro; see <see cref="AvroEncoder.TrySet"/> for which. Thread-safe.</summary>
internal sealed class ObjectValueWriter(JsonValueWriter json)
{
    public EncodeProblem? Write(object? value, AvroType type, ByteScratch to)
    {
        if (value is JsonElement element)
            return WriteJson(element, type, to);
        if (type.Kind == AvroKind.Union)
            return WriteUnion(value, type, to);
        return WriteScalar(value, type, to) ? null : EncodeProblem.Found(Show(value), type);
    }

    private static EncodeProblem? WriteUnion(object? value, AvroType union, ByteScratch to)
    {
        var start = to.Length;
        for (var i = 0; i < union.Branches.Count; i++)
        {
            to.AppendVarint(i);
            if (WriteScalar(value, union.Branches[i], to))
                return null;
            to.Truncate(start);
        }

        return EncodeProblem.Found(Show(value), union);
    }

    private EncodeProblem? WriteJson(JsonElement element, AvroType type, ByteScratch to)
    {
        var reader = new Utf8JsonReader(System.Runtime.InteropServices.JsonMarshal.GetRawUtf8Value(element));
        reader.Read();
        return json.Write(ref reader, type, to);
    }

    private static bool WriteScalar(object? value, AvroType type, ByteScratch to) => value switch
    {
        null => type.Kind == AvroKind.Null,
        bool b => ScalarWriter.TryBoolean(type, b, to),
        sbyte or byte or short or ushort or int or uint or long => ScalarWriter.TryWhole(type, Convert.ToInt64(value, CultureInfo.InvariantCulture), to),
        ulong u => u <= long.MaxValue && ScalarWriter.TryWhole(type, (long)u, to),
        float f => ScalarWriter.TryNumber(type, f, to),
        double d => ScalarWriter.TryNumber(type, d, to),
        decimal m => WriteDecimal(m, type, to),
        string s => type.IsTimestamp
            ? TimeText.TryParse(s, out var timeUs) && ScalarWriter.TryTime(type, timeUs, to)
            : ScalarWriter.TryText(type, s, to),
        // A time without a kind is UTC here, as a text without an offset is.
        DateTime t => ScalarWriter.TryTime(type, TimeGrid.FromDateTime(t.Kind == DateTimeKind.Local ? t.ToUniversalTime() : t), to),
        DateTimeOffset t => ScalarWriter.TryTime(type, TimeGrid.FromDateTime(t.UtcDateTime), to),
        DateOnly d => ScalarWriter.TryTime(type, TimeGrid.FromDateTime(d.ToDateTime(TimeOnly.MinValue)), to),
        byte[] bytes => ScalarWriter.TryBytes(type, bytes, to),
        _ => false,
    };

    private static bool WriteDecimal(decimal value, AvroType type, ByteScratch to) => type.Logical == AvroLogical.Decimal
        ? NumberText.TryUnscaled(value.ToString(CultureInfo.InvariantCulture), type.Scale, out var unscaled) && ScalarWriter.TryDecimal(type, unscaled, type.Scale, to)
        : ScalarWriter.TryNumber(type, (double)value, to);

    private static string Show(object? value) => value switch
    {
        null => "null",
        string s => EncodeProblem.Quote(s),
        _ => $"{Convert.ToString(value, CultureInfo.InvariantCulture)} ({value.GetType().Name})",
    };
}
