using System.Buffers;
using System.Text;
using System.Text.Json;
using Avro.Generic;
using CsCheck;
using StreamMl.Infrastructure.Avro;
using StreamMl.Shared.Events;

namespace StreamMl.Infrastructure.Tests.Avro;

public sealed class AvroEncoderTests
{
    private const string Schema = """
        {"type":"record","name":"E","fields":[
          {"name":"s","type":"string"},{"name":"i","type":["null","int"]},{"name":"t","type":{"type":"long","logicalType":"timestamp-millis"}},
          {"name":"d","type":"double","default":1.5},{"name":"e","type":[{"type":"enum","name":"Q","symbols":["A","B"]},"null"]},
          {"name":"dec","type":["null",{"type":"bytes","logicalType":"decimal","precision":6,"scale":2}]},
          {"name":"arr","type":{"type":"array","items":["null","long"]},"default":[]},{"name":"map","type":{"type":"map","values":"boolean"},"default":{}},
          {"name":"rec","type":["null",{"type":"record","name":"R","fields":[{"name":"a","type":"string"},{"name":"b","type":"int","default":4}]}]}]}
        """;

    private readonly AvroEncoder encoder = new(Schema);

    [Fact]
    public void TryReadJson_AllKinds_ApacheReadsThemBack()
    {
        var record = Encode("""
            {"rec":{"b":9,"a":"\u00e5"},"map":{"x":true,"y":false},"arr":[1,null,{"long":3}],"dec":-12.5,"e":"B","t":"2013-05-01T08:30:00.25+02:00","i":{"int":7},"s":"hi \"you\""}
            """);
        record["s"].ShouldBe("hi \"you\"");
        record["i"].ShouldBe(7);
        record["t"].ShouldBe(new DateTime(2013, 5, 1, 6, 30, 0, 250, DateTimeKind.Utc));
        record["d"].ShouldBe(1.5);
        ((GenericEnum)record["e"]).Value.ShouldBe("B");
        ((global::Avro.AvroDecimal)record["dec"]).ToString().ShouldBe("-12.50");
        ((object?[])record["arr"]).ShouldBe(new object?[] { 1L, null, 3L });
        ((IDictionary<string, object>)record["map"])["x"].ShouldBe(true);
        ((GenericRecord)record["rec"])["a"].ShouldBe("å");
        ((GenericRecord)record["rec"])["b"].ShouldBe(9);
    }

    [Fact]
    public void TryReadJson_FieldsLeftOut_TakeDefaultsAndNulls()
    {
        var record = Encode("""{"s":"","t":1500,"rec":{"a":"x"}}""");
        record["t"].ShouldBe(DateTime.UnixEpoch.AddMilliseconds(1500));
        record["i"].ShouldBeNull();
        ((object[])record["arr"]).ShouldBeEmpty();
        ((GenericRecord)record["rec"])["b"].ShouldBe(4);
    }

    [Theory]
    [InlineData("""{"s":5,"t":1}""", "field 's': found 5 where a string belongs; send a text of valid Unicode")]
    [InlineData("""{"s":"","t":1,"i":5000000000}""", "field 'i': found 5000000000 where a nullable int belongs; send a whole number from -2147483648 to 2147483647, or null")]
    [InlineData("""{"s":"","t":"yesterday"}""", "field 't': found \"yesterday\" where a long (timestamp-millis) belongs; send an ISO 8601 time such as 2013-05-01T08:30:00Z, or whole milliseconds since 1970-01-01 UTC")]
    [InlineData("""{"s":"","t":1,"e":"C"}""", "send one of A, B, or null")]
    [InlineData("""{"s":"","t":1,"dec":1.005}""", "field 'dec': found 1.005")]
    [InlineData("""{"s":"","t":1,"dec":10000}""", "at most 6 digits, 2 of them behind the point")]
    [InlineData("""{"s":"","t":1,"arr":[1,"x"]}""", "field 'arr[1]': found \"x\"")]
    [InlineData("""{"s":"","t":1,"map":{"k":3}}""", "field 'map[\"k\"]': found 3")]
    [InlineData("""{"s":"","t":1,"rec":{"a":1}}""", "field 'rec.a': found 1")]
    [InlineData("""{"s":"","t":1,"rec":{}}""", "field 'rec.a': found nothing")]
    [InlineData("""{"s":"","t":1,"sss":1}""", "field 'sss': the schema E does not have it (it has s, i, t, d, e, dec, arr, map, rec)")]
    [InlineData("""{"s":"","s":"","t":1}""", "field 's': it is there twice")]
    [InlineData("""{"s":""}""", "field 't': found nothing where a long (timestamp-millis) belongs")]
    [InlineData("""{"s":"",""", "not valid JSON")]
    [InlineData("""{"s":"\ud800","t":1}""", "not valid JSON")]
    [InlineData("""{"s":"","t":1} x""", "not valid JSON")]
    [InlineData("", "not valid JSON")]
    [InlineData("[]", "found an array where a record E belongs")]
    public void TryReadJson_BadValues_NameFieldValueTypeAndRemedy(string json, string message)
    {
        var values = encoder.NewValues();
        var ok = encoder.TryReadJson(Encoding.UTF8.GetBytes(json), values, out var error) && encoder.TryWrite(values, 1, new ArrayBufferWriter<byte>(), out error);
        ok.ShouldBeFalse();
        error!.ShouldContain(message);
    }

    [Fact]
    public void TryReadJson_UnknownFieldsIgnored_WhenAsked()
    {
        var lenient = new AvroEncoder(Schema, new AvroEncoderOptions { IgnoreUnknownFields = true });
        using var json = JsonDocument.Parse("""{"x":{"y":[1]},"s":"a","t":1}""");
        lenient.TryReadJson(json.RootElement, lenient.NewValues(), out var error).ShouldBeTrue(error);
    }

    [Fact]
    public void TryParseText_CsvCells_AreReadAsTheirTypes()
    {
        var values = encoder.NewValues();
        (string Field, string Text)[] cells =
        [
            ("s", " kept "), ("i", ""), ("t", "2013-05-01 08:30"), ("d", " 1e3 "), ("e", "A"), ("dec", "12.3"), ("arr", "[1,2]"), ("map", "{}"), ("rec", ""),
        ];
        foreach (var (field, text) in cells)
            encoder.TryParseText(encoder.IndexOf(field), text, values, out var error).ShouldBeTrue(error);
        var record = Read(values);
        record["s"].ShouldBe(" kept ");
        record["i"].ShouldBeNull();
        record["t"].ShouldBe(new DateTime(2013, 5, 1, 8, 30, 0, DateTimeKind.Utc));
        record["d"].ShouldBe(1000.0);
        ((object[])record["arr"]).ShouldBe([1L, 2L]);
        encoder.TryParseText(encoder.IndexOf("i"), "517.0", values, out _).ShouldBeTrue();
        Read(values)["i"].ShouldBe(517);
        encoder.TryParseText(encoder.IndexOf("i"), "NA", values, out var refused).ShouldBeFalse();
        refused.ShouldBe("field 'i': found \"NA\" where a nullable int belongs; send a whole number from -2147483648 to 2147483647, or null");
        var na = new AvroEncoder(Schema, new AvroEncoderOptions { NullTexts = ["", "NA"] });
        na.TryParseText(na.IndexOf("i"), "NA", na.NewValues(), out _).ShouldBeTrue();
    }

    [Fact]
    public void TrySet_ClrValues_AreWritten()
    {
        var values = encoder.NewValues();
        (string Field, object? Value)[] fields =
        [
            ("s", "x"), ("i", (short)3), ("t", new DateTimeOffset(2013, 5, 1, 8, 30, 0, TimeSpan.FromHours(2))), ("d", 2f), ("e", "B"), ("dec", 3.25m), ("rec", null),
        ];
        foreach (var (field, value) in fields)
            encoder.TrySet(encoder.IndexOf(field), value, values, out var error).ShouldBeTrue(error);
        var record = Read(values);
        record["t"].ShouldBe(new DateTime(2013, 5, 1, 6, 30, 0, DateTimeKind.Utc));
        record["i"].ShouldBe(3);
        ((global::Avro.AvroDecimal)record["dec"]).ToString().ShouldBe("3.25");
        encoder.TrySet(encoder.IndexOf("i"), "3", values, out var refused).ShouldBeFalse();
        refused!.ShouldContain("found \"3\" where a nullable int belongs");
    }

    [Fact]
    public void TrySetLane_DecodedRow_GivesTheSameBody() => Gen.Int.Sample(
        seed =>
        {
            var random = new Random(seed);
            const string flat = """
                {"type":"record","name":"E","fields":[{"name":"t","type":{"type":"long","logicalType":"timestamp-micros"}},{"name":"a","type":["null","double"]},
                {"name":"b","type":["string","null"]},{"name":"c","type":"float"},{"name":"d","type":{"type":"int","logicalType":"date"}},{"name":"e","type":"boolean"},{"name":"f","type":"int"}]}
                """;
            var source = AvroSamples.Source(flat);
            var body = AvroSamples.Body(random, flat);
            var batch = new EventBatch(source.Schema, 4);
            new EventDecoder(flat, source, source.Schema).TryDecode(body, batch, 0, out _, out var error).ShouldBeTrue(error);
            var writer = new AvroEncoder(flat);
            var values = writer.NewValues();
            for (var i = 0; i < writer.Fields.Count; i++)
                writer.TrySetLane(i, batch.Columns[i], 0, batch.Arena, values, out error).ShouldBeTrue(error);
            var output = new ArrayBufferWriter<byte>();
            writer.TryWrite(values, 7, output, out _).ShouldBeTrue();
            ConfluentWire.TryReadSchemaId(output.WrittenSpan, out var id, out var written).ShouldBeTrue();
            id.ShouldBe(7);
            written.ToArray().ShouldBe(body);
        },
        iter: 200);

    [Fact]
    public void TryReadJson_SteadyState_AllocatesNothing()
    {
        var json = """{"t":"2013-05-01T08:30:00Z","s":"abc","arr":[1,2,3],"rec":{"b":1,"a":"x"},"e":"A"}"""u8.ToArray();
        var values = encoder.NewValues();
        var output = new ArrayBufferWriter<byte>(4096);
        var before = 0L;
        for (var i = 0; i < 200; i++)
        {
            if (i == 100)
                before = GC.GetAllocatedBytesForCurrentThread();
            values.Clear();
            output.ResetWrittenCount();
            if (!encoder.TryReadJson(json, values, out _) || !encoder.TryWrite(values, 1, output, out _))
                throw new InvalidOperationException("refused");
        }

        (GC.GetAllocatedBytesForCurrentThread() - before).ShouldBe(0);
    }

    private GenericRecord Encode(string json)
    {
        var values = encoder.NewValues();
        encoder.TryReadJson(Encoding.UTF8.GetBytes(json), values, out var error).ShouldBeTrue(error);
        return Read(values);
    }

    private GenericRecord Read(RecordValues values)
    {
        var output = new ArrayBufferWriter<byte>();
        encoder.TryWrite(values, 1, output, out var error).ShouldBeTrue(error);
        return AvroSamples.Read(Schema, Schema, output.WrittenSpan[ConfluentWire.HeaderLength..]);
    }
}
