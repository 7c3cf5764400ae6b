using System.Text.Json;
using StreamMl.Shared.Definitions;
using StreamMl.Shared.Events;
using StreamMl.Shared.Features;
using StreamMl.Shared.Log;
using StreamMl.Shared.Time;

namespace StreamMl.OnlineScorer.Api;

/// <summary>How values look in answers. Pure; thread-safe.</summary>
internal static class JsonValues
{
    /// <summary>Numbers as numbers, times as ISO 8601, null as null; NaN and the infinities, which JSON does not have, as strings.</summary>
    public static void Write(Utf8JsonWriter json, FeatureRow row, int column, FieldType type)
    {
        if (row.Valid[column] == 0)
        {
            json.WriteNullValue();
            return;
        }

        var lane = row.Lanes[column];
        switch (type)
        {
            case FieldType.Boolean: json.WriteBooleanValue(lane != 0); break;
            case FieldType.Int64: json.WriteNumberValue(lane); break;
            case FieldType.Float64: WriteDouble(json, BitConverter.Int64BitsToDouble(lane)); break;
            case FieldType.String: json.WriteStringValue(row.Arena.Slice(lane)); break;
            case FieldType.Timestamp: json.WriteStringValue(TimeGrid.Format(lane)); break;
            default: throw new InvalidOperationException($"no value of type {type}");
        }
    }

    /// <summary>A time, or null where there is none yet.</summary>
    public static void WriteTime(Utf8JsonWriter json, string name, long timeUs)
    {
        if (timeUs == PositionRecord.None)
            json.WriteNull(name);
        else
            WriteKnownTime(json, name, timeUs);
    }

    /// <summary>A time that is there.</summary>
    public static void WriteKnownTime(Utf8JsonWriter json, string name, long timeUs)
    {
        Span<byte> text = stackalloc byte[TimeGrid.MaxFormatted];
        json.WriteString(name, text[..TimeGrid.Format(timeUs, text)]);
    }

    /// <summary>The names of types in answers: boolean, int64, float64, string, timestamp.</summary>
    public static string TypeName(FieldType type) => type.ToString().ToLowerInvariant();

    public static void WriteFeature(Utf8JsonWriter json, FeatureDefinition feature)
    {
        json.WriteString("aggregation", feature.Aggregation.ToString());
        json.WriteString("window", feature.Window.Label);
    }

    public static void WriteNumber(Utf8JsonWriter json, string name, double value)
    {
        json.WritePropertyName(name);
        WriteDouble(json, value);
    }

    /// <summary>A number, or the name of what JSON has no number for.</summary>
    public static void WriteDouble(Utf8JsonWriter json, double value)
    {
        if (double.IsFinite(value))
            json.WriteNumberValue(value);
        else
            json.WriteStringValue(double.IsNaN(value) ? "NaN" : value > 0 ? "Infinity" : "-Infinity");
    }
}
