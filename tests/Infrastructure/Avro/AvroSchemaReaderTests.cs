using StreamMl.Infrastructure.Avro;
using StreamMl.Shared.Events;

namespace StreamMl.Infrastructure.Tests.Avro;

public sealed class AvroSchemaReaderTests
{
    [Fact]
    public void Read_AllTypes_ListsReadableAndSkipped()
    {
        var schema = AvroSchemaReader.Read("""
            {"type":"record","name":"E","namespace":"a.b","fields":[
              {"name":"b","type":"boolean","doc":"what it is"},{"name":"i","type":["int","null"]},{"name":"f","type":"float"},{"name":"s","type":["null","string"],"default":null},
              {"name":"e","type":{"type":"enum","name":"Q","symbols":["A"]}},{"name":"tm","type":["null",{"type":"long","logicalType":"timestamp-millis"}]},
              {"name":"d","type":{"type":"int","logicalType":"date"}},{"name":"u","type":{"type":"string","logicalType":"uuid"}},
              {"name":"dec","type":{"type":"bytes","logicalType":"decimal","precision":9,"scale":2}},{"name":"arr","type":{"type":"array","items":"string"}},
              {"name":"un","type":["null","string","int"]},{"name":"rec","type":{"type":"record","name":"R","fields":[]}},
              {"name":"loc","type":{"type":"long","logicalType":"local-timestamp-millis"}}]}
            """);
        schema.Schema.Name.ShouldBe("a.b.E");
        schema.Schema.Fields.ShouldBe(
        [
            new EventField("b", FieldType.Boolean, false, "what it is"), new EventField("i", FieldType.Int64, true), new EventField("f", FieldType.Float64, false),
            new EventField("s", FieldType.String, true), new EventField("e", FieldType.String, false), new EventField("tm", FieldType.Timestamp, true),
            new EventField("d", FieldType.Timestamp, false), new EventField("u", FieldType.String, false),
        ]);
        schema.Skipped.Select(s => (s.Name, s.AvroType)).ShouldBe(
            [("dec", "bytes (decimal)"), ("arr", "array of string"), ("un", "union of null and string and int"), ("rec", "record a.b.R"), ("loc", "long (local-timestamp-millis)")]);
        schema.Skipped[0].Reason.ShouldContain("cents");
    }

    [Theory]
    [InlineData("{")]
    [InlineData("")]
    [InlineData("""{"type":"record","name":"E","fields":[{"name":"x","type":"nope"}]}""")]
    [InlineData("\"int\"")]
    public void Read_NoRecordSchema_SaysSo(string text) =>
        Should.Throw<AvroSchemaException>(() => AvroSchemaReader.Read(text)).Remedy.ShouldNotBeEmpty();
}
