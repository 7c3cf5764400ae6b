using CsCheck;
using StreamMl.Infrastructure.Avro;
using StreamMl.Shared.Events;

namespace StreamMl.Infrastructure.Tests.Avro;

public sealed class EventDecoderTests
{
    private const string Time = """{"name":"t","type":{"type":"long","logicalType":"timestamp-micros"}}""";

    [Fact]
    public void TryDecode_RandomSchemasAndRecords_GivesWhatApacheGives() => Gen.Int.Sample(
        seed =>
        {
            var random = new Random(seed);
            var schema = AvroSamples.Schema(random);
            var source = AvroSamples.Source(schema);
            var wanted = source.Schema.Project(source.Schema.Fields.Where(_ => random.Next(3) > 0).Select(f => f.Name).ToHashSet(StringComparer.Ordinal));
            var decoder = new EventDecoder(schema, source, wanted);
            var batch = new EventBatch(wanted, 4);
            for (var i = 0; i < 10; i++)
            {
                var body = AvroSamples.Body(random, schema);
                var oracle = AvroSamples.Read(schema, schema, body);
                decoder.TryDecode(body, batch, batch.NextRow(), out var time, out var error).ShouldBeTrue(error);
                var row = batch.Count++;
                time.ShouldBe((long)AvroSamples.Expected(oracle["t"])!);
                batch.EventTimesUs[row].ShouldBe(time);
                foreach (var field in wanted.Fields)
                    AvroSamples.Actual(batch, field.Name, row).ShouldBe(AvroSamples.Expected(oracle[field.Name]), $"field {field.Name} of {schema}");
            }
        },
        iter: 400);

    [Fact]
    public void TryDecode_CutAnywhere_IsRefusedAndLeavesTheArena() => Gen.Int.Sample(
        seed =>
        {
            var random = new Random(seed);
            var schema = AvroSamples.Schema(random);
            var source = AvroSamples.Source(schema);
            var decoder = new EventDecoder(schema, source, source.Schema);
            var batch = new EventBatch(source.Schema, 4);
            var body = AvroSamples.Body(random, schema);
            for (var length = 0; length < body.Length; length++)
            {
                // An exact copy, so that reading behind the end would leave the array.
                decoder.TryDecode(body.AsSpan(0, length).ToArray(), batch, 0, out _, out var error).ShouldBeFalse($"{length} of {body.Length} bytes");
                error!.ShouldContain($"of {length}");
                batch.Arena.Length.ShouldBe(0);
            }

            decoder.TryDecode([.. body, 0], batch, 0, out _, out var trailing).ShouldBeFalse();
            trailing!.ShouldContain("1 bytes are left");
        },
        iter: 200);

    [Fact]
    public void TryDecode_RandomBytesChanged_NeverThrows() => Gen.Int.Sample(
        seed =>
        {
            var random = new Random(seed);
            var schema = AvroSamples.Schema(random);
            var source = AvroSamples.Source(schema);
            var decoder = new EventDecoder(schema, source, random.Next(2) == 0 ? source.Schema : source.Schema.Project(new HashSet<string>()));
            var batch = new EventBatch(decoder.BatchSchema, 4);
            var body = AvroSamples.Body(random, schema);
            for (var i = 0; i < 100; i++)
            {
                var bad = body.ToArray();
                for (var n = random.Next(1, 4); n > 0 && bad.Length > 0; n--)
                    bad[random.Next(bad.Length)] = random.Next(2) == 0 ? (byte)0xff : (byte)random.Next(256);
                if (!decoder.TryDecode(bad, batch, 0, out _, out var error))
                    error.ShouldNotBeNullOrEmpty();
                batch.Arena.Clear();
            }
        },
        iter: 400);

    [Theory]
    [InlineData("\"int\"", "\"long\"", 5)]
    [InlineData("\"int\"", "\"float\"", 16777217)]
    [InlineData("\"int\"", "\"double\"", 5)]
    [InlineData("\"long\"", "\"float\"", 123456789012L)]
    [InlineData("\"long\"", "\"double\"", 123456789012L)]
    [InlineData("\"float\"", "\"double\"", 1.5f)]
    [InlineData("\"int\"", "[\"null\",\"double\"]", 5)]
    [InlineData("[\"null\",\"int\"]", "[\"null\",\"double\"]", null)]
    [InlineData("[\"null\",\"int\"]", "\"double\"", 7)]
    [InlineData("[\"string\",\"int\",\"null\"]", "[\"null\",\"long\"]", 7)]
    [InlineData("[\"string\",\"int\",\"null\"]", "[\"null\",\"long\"]", null)]
    public void TryDecode_Promoted_GivesWhatApacheGives(string written, string read, object? value)
    {
        var (writer, reader) = (AvroSamples.Record($$"""{"name":"x","type":{{written}}},{{Time}}"""), AvroSamples.Record($$"""{{Time}},{"name":"x","type":{{read}}}"""));
        var body = Written(writer, value);
        var oracle = AvroSamples.Read(writer, reader, body);
        var (batch, _, error) = Decode(writer, reader, body);
        error.ShouldBeNull();
        AvroSamples.Actual(batch, "x", 0).ShouldBe(AvroSamples.Expected(oracle["x"]));
    }

    [Fact]
    public void TryDecode_StringAndBytes_AreReadAsEachOther()
    {
        var reader = AvroSamples.Record($$"""{{Time}},{"name":"x","type":"string"}""");
        var writer = AvroSamples.Record($$"""{"name":"x","type":"bytes"},{{Time}}""");
        AvroSamples.Actual(Decode(writer, reader, Written(writer, "blå"u8.ToArray())).Batch, "x", 0).ShouldBe("blå");
        Decode(writer, reader, Written(writer, new byte[] { 0xff, 0xfe })).Error.ShouldBe("field 'x', byte 1 of 9: the text is not valid UTF-8; encode strings as UTF-8");
    }

    [Fact]
    public void TryDecode_MissingFields_TakeTheReadersDefaults()
    {
        var writer = AvroSamples.Record(Time);
        var reader = AvroSamples.Record($$"""
            {"name":"i","type":"int","default":-3},{"name":"d","type":"double","default":2.5},{"name":"s","type":"string","default":"dflt"},
            {{Time}},{"name":"n","type":["null","long"],"default":null},{"name":"e","type":{"type":"enum","name":"Q","symbols":["A","B"]},"default":"B"},
            {"name":"m","type":{"type":"long","logicalType":"timestamp-millis"},"default":7}
            """);
        var (batch, time, error) = Decode(writer, reader, Written(writer, null));
        error.ShouldBeNull();
        time.ShouldBe(1_000_000_000_000);
        new[] { "i", "d", "s", "n", "e", "m" }.Select(f => AvroSamples.Actual(batch, f, 0)).ShouldBe(new object?[] { -3L, 2.5, "dflt", null, "B", 7_000L });
    }

    [Fact]
    public void TryDecode_RenamedField_IsFoundByItsAlias()
    {
        var writer = AvroSamples.Record($$"""{"name":"old","type":"int"},{{Time}}""");
        var reader = AvroSamples.Record($$"""{"name":"x","type":"long","aliases":["old"]},{{Time}}""");
        AvroSamples.Actual(Decode(writer, reader, Written(writer, 9)).Batch, "x", 0).ShouldBe(9L);
    }

    [Theory]
    [InlineData("", "field 'x', byte 0 of 7: an enum symbol that the source's schema does not have; add it, or a default, to the source's schema")]
    [InlineData(",\"default\":\"B\"", null)]
    public void TryDecode_UnknownSymbol_TakesTheDefaultOrIsRefused(string readerDefault, string? refused)
    {
        var writer = AvroSamples.Record($$"""{"name":"x","type":{"type":"enum","name":"Q","symbols":["Z","A"] } },{{Time}}""");
        var reader = AvroSamples.Record($$"""{"name":"x","type":{"type":"enum","name":"Q","symbols":["A","B"]{{readerDefault}} } },{{Time}}""");
        var (batch, _, error) = Decode(writer, reader, [0, .. Written(AvroSamples.Record(Time), null)]);
        error.ShouldBe(refused);
        if (refused is null)
            AvroSamples.Actual(batch, "x", 0).ShouldBe("B");
        AvroSamples.Actual(Decode(writer, reader, [2, .. Written(AvroSamples.Record(Time), null)]).Batch, "x", 0).ShouldBe("A");
    }

    [Fact]
    public void TryDecode_UnitsOfTimeDiffer_KeepsTheInstant()
    {
        var writer = AvroSamples.Record("""{"name":"t","type":{"type":"long","logicalType":"timestamp-millis"}},{"name":"x","type":{"type":"int","logicalType":"date"}}""");
        var reader = AvroSamples.Record($$"""{{Time}},{"name":"x","type":{"type":"long","logicalType":"timestamp-micros"} }""");
        var body = new byte[20];
        var length = Varint.Write(body, 1_700_000_000_123);
        length += Varint.Write(body.AsSpan(length), 2);
        var (batch, time, error) = Decode(writer, reader, body[..length]);
        error.ShouldBeNull();
        time.ShouldBe(1_700_000_000_123_000);
        AvroSamples.Actual(batch, "x", 0).ShouldBe(2 * 86_400_000_000L);
    }

    [Fact]
    public void TryDecode_NullOrImpossibleEventTime_IsRefused()
    {
        var schema = AvroSamples.Record("""{"name":"t","type":["null",{"type":"long","logicalType":"timestamp-millis"}]}""");
        Decode(schema, schema, [0]).Error.ShouldBe("field 't', byte 0 of 1: null where every event needs an event time; send a timestamp");
        var body = new byte[11];
        body[0] = 2;
        var length = 1 + Varint.Write(body.AsSpan(1), long.MaxValue / 2);
        Decode(schema, schema, body[..length]).Error!.ShouldContain("a time outside the years 1 to 9999; send milliseconds since 1970-01-01 UTC");
    }

    [Theory]
    [InlineData("\"long\"", "\"int\"", "written as long and read as int")]
    [InlineData("\"string\"", "\"double\"", "written as string and read as double")]
    [InlineData("\"double\"", "\"float\"", "written as double and read as float")]
    public void Compile_Unresolvable_SaysWhatIsWrittenAndRead(string written, string read, string message)
    {
        var (writer, reader) = (AvroSamples.Record($$"""{"name":"x","type":{{written}}},{{Time}}"""), AvroSamples.Record($$"""{"name":"x","type":{{read}}},{{Time}}"""));
        var source = AvroSamples.Source(reader);
        Should.Throw<AvroSchemaException>(() => new EventDecoder(writer, source, source.Schema)).Message.ShouldContain(message);
        // Not read: nobody minds.
        _ = new EventDecoder(writer, source, source.Schema.Project(new HashSet<string> { "t" }));
    }

    [Fact]
    public void TryDecode_HostileCountsAndNesting_AreRefused()
    {
        var schema = AvroSamples.Record($$"""{"name":"x","type":{"type":"array","items":"null"} },{"name":"y","type":{"type":"array","items":"double"} },{"name":"z","type":["null","E"]},{{Time}}""");
        var huge = new byte[10];
        var length = Varint.Write(huge, long.MaxValue);
        Decode(schema, schema, [.. huge[..length], 0, .. huge[..length], 0]).Error!.ShouldContain("field 'y'");
        Decode(schema, schema, [.. Enumerable.Repeat(new byte[] { 0, 0, 2 }, 10_000).SelectMany(b => b)]).Error!.ShouldContain("nested more than 64 deep");
    }

    [Fact]
    public void TryDecode_SteadyState_AllocatesNothing()
    {
        var random = new Random(1);
        var schema = AvroSamples.Record($$"""
            {{Time}},{"name":"s","type":"string"},{"name":"n","type":["null","double"]},{"name":"e","type":{"type":"enum","name":"Q","symbols":["A"] } },
            {"name":"skip","type":{"type":"map","values":{"type":"array","items":"string" } } },{"name":"i","type":"int"}
            """);
        var source = AvroSamples.Source(schema);
        var decoder = new EventDecoder(schema, source, source.Schema);
        var bodies = Enumerable.Range(0, 100).Select(_ => AvroSamples.Body(random, schema)).ToArray();
        var batch = new EventBatch(source.Schema, 128);
        var before = 0L;
        for (var round = 0; round < 20; round++)
        {
            if (round == 10)
                before = GC.GetAllocatedBytesForCurrentThread();
            batch.Clear();
            foreach (var body in bodies)
            {
                if (!decoder.TryDecode(body, batch, batch.NextRow(), out _, out _))
                    throw new InvalidOperationException("refused");
                batch.Count++;
            }
        }

        (GC.GetAllocatedBytesForCurrentThread() - before).ShouldBe(0);
    }

    [Fact]
    public void TryDecode_RowsThatWereNullBefore_HaveValues()
    {
        var reader = AvroSamples.Record($$"""{{Time}},{"name":"n","type":["null","long"],"default":null},{"name":"x","type":"long"}""");
        var plain = AvroSamples.Record($$"""{{Time}},{"name":"n","type":"long"},{"name":"x","type":"long"}""");
        var three = AvroSamples.Record($$"""{{Time}},{"name":"n","type":["null","long","int"]},{"name":"x","type":"long"}""");
        var source = AvroSamples.Source(reader);
        var batch = new EventBatch(source.Schema, 1);
        foreach (var (writer, body) in new[] { (plain, new byte[] { 2, 6, 8 }), (reader, [2, 2, 6, 8]), (three, [2, 2, 6, 8]), (three, [2, 4, 6, 8]) })
        {
            foreach (var column in batch.Columns)
                column.SetNull(0); // as for a row that could not be decoded
            batch.Clear();
            new EventDecoder(writer, source, source.Schema).TryDecode(body, batch, 0, out _, out var error).ShouldBeTrue(error);
            AvroSamples.Actual(batch, "n", 0).ShouldBe(3L);
            AvroSamples.Actual(batch, "x", 0).ShouldBe(4L);
        }

        new EventDecoder(reader, source, source.Schema).TryDecode([2, 0, 8], batch, 0, out _, out _).ShouldBeTrue();
        AvroSamples.Actual(batch, "n", 0).ShouldBeNull();
    }

    [Fact]
    public void TryDecode_OtherColumns_IsTheCallersError()
    {
        var schema = AvroSamples.Record(Time);
        var source = AvroSamples.Source(schema);
        var decoder = new EventDecoder(schema, source, source.Schema);
        Should.Throw<ArgumentException>(() => decoder.TryDecode([0], new EventBatch(new EventSchema("E", [])), 0, out _, out _));
        decoder.TryDecode([0], new EventBatch(AvroSchemaReader.ReadEventSchema(schema), 4), 0, out _, out _).ShouldBeTrue();
    }

    private static byte[] Written(string schema, object? value)
    {
        var record = (global::Avro.RecordSchema)global::Avro.Schema.Parse(schema);
        var generic = new global::Avro.Generic.GenericRecord(record);
        foreach (var field in record.Fields)
            generic.Add(field.Name, field.Name == "t" ? DateTime.UnixEpoch.AddSeconds(1_000_000) : value);
        return AvroSamples.Write(record, generic);
    }

    private static (EventBatch Batch, long TimeUs, string? Error) Decode(string writer, string reader, byte[] body)
    {
        var source = AvroSamples.Source(reader);
        var batch = new EventBatch(source.Schema, 4);
        new EventDecoder(writer, source, source.Schema).TryDecode(body, batch, 0, out var time, out var error);
        return (batch, time, error);
    }
}
