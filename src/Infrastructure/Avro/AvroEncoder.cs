using System.Buffers;
using System.Text.Json;
using StreamMl.Shared.Events;

namespace StreamMl.Infrastructure.Avro;

/// <summary>A field that an encoder writes.</summary>
/// <param name="Name">Its name.</param>
/// <param name="AvroType">As messages name it.</param>
/// <param name="Type">What features read it as; null where they do not (nested records, arrays, maps, bytes, decimals).</param>
/// <param name="Nullable">May be null.</param>
/// <param name="IsRequired">Must be set: it has no default and is not nullable.</param>
public sealed record EncoderField(string Name, string AvroType, FieldType? Type, bool Nullable, bool IsRequired);

/// <summary>
/// Writes records of one schema as Avro in Confluent's wire format. Fields are set one by one (text, CLR values, lanes) or from a JSON
/// object, each checked against its type: what does not fit is refused with field, value, type and remedy; nothing is converted silently.
/// A field that is not set gets its default, else null where it is nullable. Compiled once; thread-safe (one <see cref="RecordValues"/> per thread).
/// </summary>
public sealed class AvroEncoder
{
    private readonly AvroType record;
    private readonly JsonValueWriter json;
    private readonly TextValueWriter text;
    private readonly ObjectValueWriter objects;
    private readonly Dictionary<string, int> indexByName = new(StringComparer.Ordinal);

    /// <exception cref="AvroSchemaException">Not an Avro record schema, or a default that is not of its field's type.</exception>
    public AvroEncoder(string schemaJson, AvroEncoderOptions? options = null)
    {
        options ??= new AvroEncoderOptions();
        record = AvroTypeParser.ParseRecord(schemaJson);
        json = new JsonValueWriter(options);
        json.PrepareDefaults(record, []);
        text = new TextValueWriter(options, json);
        objects = new ObjectValueWriter(json);
        Fields = [.. record.Fields.Select(Describe)];
        for (var i = 0; i < Fields.Count; i++)
            indexByName.Add(Fields[i].Name, i);
    }

    /// <summary>Full name of the record.</summary>
    public string Name => record.Name;

    /// <summary>All fields, in the schema's order; their positions are the field indexes.</summary>
    public IReadOnlyList<EncoderField> Fields { get; }

    /// <summary>Position of the field, or -1.</summary>
    public int IndexOf(string field) => indexByName.GetValueOrDefault(field, -1);

    public RecordValues NewValues() => new(this, Fields.Count);

    /// <summary>
    /// Sets a field from the text of a CSV cell: an empty (or other null) text is null where the field is nullable; times are ISO 8601 (UTC without
    /// an offset) or a number in the field's unit; whole numbers may come as 517.0; arrays, maps and records are JSON.
    /// </summary>
    public bool TryParseText(int fieldIndex, ReadOnlySpan<char> value, RecordValues into, out string? error) =>
        Finish(fieldIndex, into, Begin(into), text.Write(value, record.Fields[fieldIndex].Type, into.Scratch), out error);

    /// <summary>
    /// Sets a field from a CLR value: null, bool, integers, float, double, decimal, string, DateTime (UTC unless it is local), DateTimeOffset, DateOnly,
    /// byte[], JsonElement. An integer in a timestamp field is in the field's unit.
    /// </summary>
    public bool TrySet(int fieldIndex, object? value, RecordValues into, out string? error) =>
        Finish(fieldIndex, into, Begin(into), objects.Write(value, record.Fields[fieldIndex].Type, into.Scratch), out error);

    /// <summary>Sets a field from one row of a column; see <see cref="FieldType"/> for what a lane holds.</summary>
    /// <param name="column">The column; its type need not be the field's own, but its value must fit.</param>
    /// <param name="arena">Of the batch: where string lanes point.</param>
    public bool TrySetLane(int fieldIndex, EventColumn column, int row, Utf8Arena arena, RecordValues into, out string? error)
    {
        var type = record.Fields[fieldIndex].Type;
        var start = Begin(into);
        var problem = LaneWriter.Write(column, row, arena, type, into.Scratch) ? null : EncodeProblem.Found(LaneWriter.Show(column, row, arena), type);
        return Finish(fieldIndex, into, start, problem, out error);
    }

    /// <summary>
    /// Sets the fields of a JSON object, standing on its first token or before it. Unknown and repeated fields are errors; times are ISO 8601
    /// texts or numbers in the field's unit; unions take plain values and Avro's <c>{"long": 5}</c>; bytes are texts of U+0000 to U+00FF; decimals numbers or texts.
    /// Malformed JSON is an error too.
    /// </summary>
    public bool TryReadJson(ref Utf8JsonReader reader, RecordValues into, out string? error)
    {
        Begin(into);
        try
        {
            if (reader.TokenType == JsonTokenType.None && !reader.Read())
                throw new JsonException("the text is empty");
            error = json.WriteFields(ref reader, record, into.Scratch, into.Starts, into.Lengths)?.ToString();
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // InvalidOperationException: a text with an invalid escape or invalid UTF-8.
            error = $"not valid JSON: {e.Message.TrimEnd('.')}; send one JSON object in UTF-8";
        }

        if (error is not null)
            into.Clear();
        return error is null;
    }

    /// <inheritdoc cref="TryReadJson(ref Utf8JsonReader, RecordValues, out string?)"/>
    public bool TryReadJson(JsonElement value, RecordValues into, out string? error)
    {
        var reader = new Utf8JsonReader(System.Runtime.InteropServices.JsonMarshal.GetRawUtf8Value(value));
        return TryReadJson(ref reader, into, out error);
    }

    /// <inheritdoc cref="TryReadJson(ref Utf8JsonReader, RecordValues, out string?)"/>
    /// <param name="utf8Json">One JSON object and nothing behind it.</param>
    /// <param name="into">Where the fields are set.</param>
    /// <param name="error">What is wrong with it.</param>
    public bool TryReadJson(ReadOnlySpan<byte> utf8Json, RecordValues into, out string? error)
    {
        var reader = new Utf8JsonReader(utf8Json);
        if (!TryReadJson(ref reader, into, out error))
            return false;
        if (utf8Json[(int)reader.BytesConsumed..].Trim(" \t\r\n"u8).IsEmpty)
            return true;
        into.Clear();
        error = "not valid JSON: there is more behind the object; send one JSON object in UTF-8";
        return false;
    }

    /// <summary>Writes header and body; refuses, and writes nothing, where a required field is not set. The values stay set.</summary>
    public bool TryWrite(RecordValues values, int schemaId, IBufferWriter<byte> output, out string? error)
    {
        CheckOwner(values);
        for (var i = 0; i < record.Fields.Count; i++)
        {
            if (values.IsSet(i) || json.DefaultOf(record.Fields[i]) is not null)
                continue;
            error = JsonValueWriter.Missing(record.Fields[i]).ToString();
            return false;
        }

        ConfluentWire.WriteHeader(output.GetSpan(ConfluentWire.HeaderLength), schemaId);
        output.Advance(ConfluentWire.HeaderLength);
        for (var i = 0; i < record.Fields.Count; i++)
            output.Write(values.IsSet(i) ? values.Encoded(i) : json.DefaultOf(record.Fields[i]));
        error = null;
        return true;
    }

    private int Begin(RecordValues values)
    {
        CheckOwner(values);
        return values.Scratch.Length;
    }

    private bool Finish(int fieldIndex, RecordValues into, int start, EncodeProblem? problem, out string? error)
    {
        if (problem is null)
        {
            into.Mark(fieldIndex, start);
            error = null;
            return true;
        }

        into.Scratch.Truncate(start);
        error = problem.Under(record.Fields[fieldIndex].Name).ToString();
        return false;
    }

    private void CheckOwner(RecordValues values)
    {
        if (values.Encoder != this)
            throw new ArgumentException($"these values belong to another encoder (of {values.Encoder.Name}, this one is of {Name}); use NewValues of the encoder that writes them", nameof(values));
    }

    private EncoderField Describe(AvroFieldType field)
    {
        var type = AvroSchemaReader.FieldTypeOf(field.Type, out _);
        return new EncoderField(field.Name, field.Type.Describe(), type, field.Type.Branches.Exists(b => b.Kind == AvroKind.Null), json.DefaultOf(field) is null);
    }
}
