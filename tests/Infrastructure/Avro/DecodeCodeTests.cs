using CsCheck;
using StreamMl.Infrastructure.Avro;
using StreamMl.Shared.Events;

namespace StreamMl.Infrastructure.Tests.Avro;

/// <summary>Machine code of a schema beside the interpreter of the same program: the same rows, the same refusals, whatever the bytes.</summary>
public sealed class DecodeCodeTests
{
    private const int Never = int.MaxValue;

    private const string Time = """{"name":"t","type":{"type":"long","logicalType":"timestamp-micros"}}""";

    private static readonly string[] Types =
    [
        "\"boolean\"", "\"int\"", "\"long\"", "\"double\"", "\"string\"", "\"bytes\"",
        """{"type":"long","logicalType":"timestamp-millis"}""", """{"type":"long","logicalType":"timestamp-micros"}""", """{"type":"int","logicalType":"date"}""",
    ];

    [Fact]
    public void TryDecode_Compiled_DoesWhatTheInterpreterDoes() => Gen.Int.Sample(
        seed =>
        {
            var random = new Random(seed);
            // Every third schema may have unions, which are interpreted by both.
            var schema = random.Next(3) == 0 ? AvroSamples.Schema(random) : CommonSchema(random);
            var source = AvroSamples.Source(schema);
            var wanted = source.Schema.Project(source.Schema.Fields.Where(_ => random.Next(4) > 0).Select(f => f.Name).ToHashSet(StringComparer.Ordinal));
            var (compiled, interpreted) = (new EventDecoder(schema, source, wanted, compileAfter: 0), new EventDecoder(schema, source, wanted, Never));
            var (left, right) = (new EventBatch(wanted, 16), new EventBatch(wanted, 16));
            for (var i = 0; i < 40; i++)
            {
                var body = Body(random, schema);
                var (row, other) = (left.NextRow(), right.NextRow());
                var went = compiled.TryDecode(body, left, row, out var time, out var error);
                interpreted.TryDecode(body, right, other, out var expected, out var reason).ShouldBe(went, $"{error ?? reason} in {schema}");
                time.ShouldBe(expected);
                error.ShouldBe(reason);
                left.Arena.Length.ShouldBe(right.Arena.Length);
                if (!went)
                    continue;
                foreach (var field in wanted.Fields)
                    AvroSamples.Actual(left, field.Name, row).ShouldBe(AvroSamples.Actual(right, field.Name, other), $"field {field.Name} of {schema}");
                (left.Count, right.Count) = (row + 1, other + 1);
            }
        },
        iter: 400);

    [Fact]
    public void Compile_FieldsOfAnyType_MakesCodeAndForUnionsNone()
    {
        var common = string.Join(",", Types.Select((t, i) => $$"""{"name":"f{{i}}","type":{{t}} },{"name":"n{{i}}","type":["null",{{t}}]}"""));
        DecodeCode.Compile(Program(common)).ShouldNotBeNull();
        DecodeCode.Compile(Program("""{"name":"e","type":{"type":"enum","name":"Q","symbols":["A"]}}""")).ShouldNotBeNull();
        DecodeCode.Compile(Program("""{"name":"u","type":["null","int","string"]}""")).ShouldNotBeNull("no field of a batch: it is skipped");
        DecodeCode.Compile(Program("""{"name":"u","type":["null","int","long"]}""", """{"name":"u","type":["null","long"]}""")).ShouldBeNull("its instructions jump");
        DecodeCode.Compile(Program(string.Join(",", Enumerable.Range(0, 100).Select(i => $$"""{"name":"f{{i}}","type":"int"}""")))).ShouldBeNull("it is too long");
        DecodeCode.Compile(Program(string.Join(",", Enumerable.Range(0, 100).Select(i => $$"""{"name":"f{{i}}","type":"long"}""")), """{"name":"f7","type":"long"}""")).ShouldBeNull("so are its skips");
    }

    [Fact]
    public void TryDecode_ManyRows_AreTheSameBeforeAndAfterCodeIsMade()
    {
        var schema = AvroSamples.Record("""{"name":"s","type":"string"},{"name":"t","type":{"type":"long","logicalType":"timestamp-micros"}}""");
        var source = AvroSamples.Source(schema);
        var decoder = new EventDecoder(schema, source, source.Schema, compileAfter: 3);
        var batch = new EventBatch(source.Schema, 1);
        foreach (var text in new[] { "a", "bl\u00e5", "", new string('x', 40), "e", new string('\u00e5', 40), "seventeen letters", "h" })
        {
            decoder.TryDecode(Text(text), batch, batch.NextRow(), out _, out var error).ShouldBeTrue(error);
            AvroSamples.Actual(batch, "s", batch.Count++).ShouldBe(text);
        }

        decoder.TryDecode([.. Text("ab")[..2], 0xff, .. Text("ab")[3..]], batch, batch.NextRow(), out _, out var bad).ShouldBeFalse();
        bad!.ShouldContain("not valid UTF-8");
    }

    private static byte[] Text(string text)
    {
        var bytes = System.Text.Encoding.UTF8.GetBytes(text);
        var body = new byte[bytes.Length + (2 * Varint.MaxLength)];
        var at = Varint.Write(body, bytes.Length);
        bytes.CopyTo(body, at);
        at += bytes.Length;
        return body[..(at + Varint.Write(body.AsSpan(at), 1_000_000))];
    }

    /// <summary>A record as it should be, or with bytes changed, cut off or added.</summary>
    private static byte[] Body(Random random, string schema)
    {
        var body = AvroSamples.Body(random, schema);
        switch (random.Next(4))
        {
            case 0:
                for (var n = random.Next(1, 4); n > 0 && body.Length > 0; n--)
                    body[random.Next(body.Length)] = random.Next(2) == 0 ? (byte)0xff : (byte)random.Next(256);
                return body;
            case 1:
                return random.Next(2) == 0 ? body[..random.Next(body.Length)] : [.. body, (byte)random.Next(256)];
            default:
                return body;
        }
    }

    private static string CommonSchema(Random random)
    {
        var fields = Enumerable.Range(0, random.Next(1, 20)).Select(i => $$"""{"name":"f{{i}}", "type":{{Type(random)}} }""").ToList();
        fields.Insert(random.Next(fields.Count + 1), Time);
        return AvroSamples.Record(string.Join(",", fields));
    }

    private static string Type(Random random)
    {
        var type = Types[random.Next(Types.Length)];
        return random.Next(4) switch
        {
            0 => $"[\"null\",{type}]",
            1 => $"[{type},\"null\"]",
            _ => type,
        };
    }

    private static DecodeProgram Program(string written, string? read = null)
    {
        var reader = AvroSamples.Record($"{read ?? written},{Time}");
        return ProgramCompiler.Compile(AvroTypeParser.ParseRecord(AvroSamples.Record($"{written},{Time}")), AvroTypeParser.ParseRecord(reader), AvroSchemaReader.ReadEventSchema(reader), "t");
    }
}
