using Avro;
using Avro.Generic;
using Avro.IO;
using StreamMl.Infrastructure.Avro;
using StreamMl.Shared.Definitions;
using StreamMl.Shared.Events;

namespace StreamMl.Infrastructure.Tests.Avro;

/// <summary>Random schemas and records, and what Apache.Avro makes of them.</summary>
internal static class AvroSamples
{
    private static readonly string[] Scalars =
    [
        "\"boolean\"", "\"int\"", "\"long\"", "\"float\"", "\"double\"", "\"string\"", "\"bytes\"",
        """{"type":"long","logicalType":"timestamp-millis"}""", """{"type":"long","logicalType":"timestamp-micros"}""", """{"type":"int","logicalType":"date"}""",
    ];

    public static string Schema(Random random)
    {
        var named = 0;
        var fields = Enumerable.Range(0, random.Next(1, 12)).Select(i => $$"""{"name":"f{{i}}","type":{{Type(random, 0, ref named)}}}""").ToList();
        fields.Insert(random.Next(fields.Count + 1), """{"name":"t","type":{"type":"long","logicalType":"timestamp-micros"}}""");
        return Record(string.Join(",", fields));
    }

    public static string Record(string fields) => $$"""{"type":"record","name":"E","fields":[{{fields}}]}""";

    public static SourceDefinition Source(string schema) => new()
    {
        Name = "s",
        Topic = "s",
        AvroSchema = schema,
        Schema = AvroSchemaReader.ReadEventSchema(schema),
        EventTimeField = "t",
        KeyFields = [],
    };

    /// <summary>A random record of the schema, encoded by Apache.Avro.</summary>
    public static byte[] Body(Random random, string schema)
    {
        var record = (RecordSchema)global::Avro.Schema.Parse(schema);
        return Write(record, (GenericRecord)Value(random, record)!);
    }

    public static byte[] Write(RecordSchema schema, GenericRecord record)
    {
        using var stream = new MemoryStream();
        new GenericDatumWriter<GenericRecord>(schema).Write(record, new BinaryEncoder(stream));
        return stream.ToArray();
    }

    public static GenericRecord Read(string writer, string reader, ReadOnlySpan<byte> body)
    {
        using var stream = new MemoryStream(body.ToArray());
        return new GenericDatumReader<GenericRecord>(global::Avro.Schema.Parse(writer), global::Avro.Schema.Parse(reader)).Read(null!, new BinaryDecoder(stream));
    }

    /// <summary>What the batch should hold for a value of Apache.Avro's.</summary>
    public static object? Expected(object? value) => value switch
    {
        int i => (long)i,
        float f => (double)f,
        GenericEnum e => e.Value,
        DateTime t => (t - DateTime.UnixEpoch).Ticks / 10,
        _ => value,
    };

    public static object? Actual(EventBatch batch, string field, int row)
    {
        var column = batch.Column(field);
        if (column.Valid[row] == 0)
            return null;
        return column.Type switch
        {
            FieldType.Boolean => column.Lanes[row] != 0,
            FieldType.Float64 => column.Doubles[row],
            FieldType.String => batch.Arena.GetString(column.Lanes[row]),
            _ => column.Lanes[row],
        };
    }

    private static string Type(Random random, int depth, ref int named) => random.Next(depth < 3 ? 20 : 10) switch
    {
        10 => $$"""{"type":"enum","name":"N{{named++}}","symbols":["A","BB","CCC_CCC"]}""",
        11 => $$"""{"type":"fixed","name":"N{{named++}}","size":{{random.Next(1, 20)}}}""",
        12 => $$"""{"type":"array","items":{{Type(random, depth + 1, ref named)}}}""",
        13 => $$"""{"type":"map","values":{{Type(random, depth + 1, ref named)}}}""",
        14 => $$"""{"type":"record","name":"N{{named++}}","fields":[{"name":"a","type":{{Type(random, depth + 1, ref named)}}},{"name":"b","type":{{Type(random, depth + 1, ref named)}}}]}""",
        15 => """["null","string","long",{"type":"array","items":"double"}]""",
        16 or 17 => $"[\"null\",{Scalars[random.Next(Scalars.Length)]}]",
        18 or 19 => $"[{Scalars[random.Next(Scalars.Length)]},\"null\"]",
        var scalar => Scalars[scalar],
    };

    private static object? Value(Random random, Schema schema)
    {
        switch (schema)
        {
            case LogicalSchema logical:
                var seconds = random.NextInt64(-60_000_000_000, 250_000_000_000);
                return logical.LogicalTypeName switch
                {
                    "date" => DateTime.UnixEpoch.AddDays(seconds / 86_400),
                    "timestamp-millis" => DateTime.UnixEpoch.AddSeconds(seconds).AddMilliseconds(random.Next(1_000)),
                    _ => DateTime.UnixEpoch.AddSeconds(seconds).AddMicroseconds(random.Next(1_000_000)),
                };
            case RecordSchema record:
                var value = new GenericRecord(record);
                foreach (var field in record.Fields)
                    value.Add(field.Name, Value(random, field.Schema));
                return value;
            case EnumSchema e:
                return new GenericEnum(e, e.Symbols[random.Next(e.Count)]);
            case FixedSchema f:
                return new GenericFixed(f, Bytes(random, f.Size));
            case ArraySchema a:
                return Enumerable.Range(0, random.Next(4)).Select(_ => Value(random, a.ItemSchema)!).ToArray();
            case MapSchema m:
                return Enumerable.Range(0, random.Next(4)).ToDictionary(i => $"k{i}", _ => Value(random, m.ValueSchema)!);
            case UnionSchema u:
                return Value(random, u.Schemas[random.Next(u.Count)]);
            default:
                return Scalar(random, schema.Tag);
        }
    }

    private static object? Scalar(Random random, Schema.Type tag) => tag switch
    {
        global::Avro.Schema.Type.Boolean => random.Next(2) == 0,
        global::Avro.Schema.Type.Int => random.Next(int.MinValue, int.MaxValue) >> random.Next(32),
        global::Avro.Schema.Type.Long => random.NextInt64(long.MinValue, long.MaxValue) >> random.Next(64),
        global::Avro.Schema.Type.Float => (float)random.NextDouble() * 1e6f,
        global::Avro.Schema.Type.Double => random.NextDouble() * 1e9,
        global::Avro.Schema.Type.String => Text(random),
        global::Avro.Schema.Type.Bytes => Bytes(random, random.Next(40)),
        _ => null,
    };

    private static string Text(Random random)
    {
        var alphabet = random.Next(4) == 0 ? "aå€😀z" : "abcdefgh";
        var runes = alphabet.EnumerateRunes().ToArray();
        return string.Concat(Enumerable.Range(0, random.Next(3) == 0 ? random.Next(200) : random.Next(20)).Select(_ => runes[random.Next(runes.Length)].ToString()));
    }

    private static byte[] Bytes(Random random, int count)
    {
        var bytes = new byte[count];
        random.NextBytes(bytes);
        return bytes;
    }
}
