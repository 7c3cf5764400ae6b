using StreamMl.Infrastructure.Avro;

namespace StreamMl.Infrastructure.Tests.Avro;

public sealed class AvroCompatibilityTests
{
    [Theory]
    [InlineData("\"long\"", "\"int\"")]
    [InlineData("\"float\"", "\"long\"")]
    [InlineData("\"double\"", "\"float\"")]
    [InlineData("\"string\"", "\"bytes\"")]
    [InlineData("\"bytes\"", "\"string\"")]
    [InlineData("[\"null\",\"long\"]", "\"int\"")]
    [InlineData("\"long\"", "[\"int\",\"long\"]")]
    [InlineData("{\"type\":\"array\",\"items\":\"double\"}", "{\"type\":\"array\",\"items\":\"int\"}")]
    [InlineData("{\"type\":\"map\",\"values\":\"double\"}", "{\"type\":\"map\",\"values\":\"int\"}")]
    [InlineData("{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"A\",\"B\"]}", "{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"A\"]}")]
    [InlineData("{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"A\"],\"default\":\"A\"}", "{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"A\",\"B\"]}")]
    [InlineData("{\"type\":\"long\",\"logicalType\":\"timestamp-micros\"}", "\"long\"")]
    [InlineData("{\"type\":\"long\",\"logicalType\":\"never-heard-of\"}", "\"int\"")]
    public void Check_ReadableTypes_SaysNothing(string reader, string writer) => AvroCompatibility.Check(reader, writer).ShouldBeEmpty();

    [Theory]
    [InlineData("\"int\"", "\"long\"", "int")]
    [InlineData("\"float\"", "\"double\"", "float")]
    [InlineData("\"string\"", "\"int\"", "string")]
    [InlineData("\"long\"", "[\"null\",\"long\"]", "null")]
    [InlineData("[\"null\",\"string\"]", "\"int\"", "no branch")]
    [InlineData("{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"A\"]}", "{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"A\",\"B\"]}", "lacks the writer's B")]
    [InlineData("{\"type\":\"fixed\",\"name\":\"F\",\"size\":4}", "{\"type\":\"fixed\",\"name\":\"F\",\"size\":8}", "4 bytes")]
    [InlineData("{\"type\":\"fixed\",\"name\":\"F\",\"size\":4}", "{\"type\":\"fixed\",\"name\":\"G\",\"size\":4}", "alias 'G'")]
    public void Check_UnreadableTypes_SaysWhy(string reader, string writer, string expected) =>
        AvroCompatibility.Check(reader, writer).ShouldHaveSingleItem().ShouldContain(expected);

    [Fact]
    public void Check_NewFieldWithDefault_IsReadable() =>
        AvroCompatibility.Check(Record("""{"name":"a","type":"int"},{"name":"b","type":["null","int"],"default":null}"""), Record("""{"name":"a","type":"int"}"""))
            .ShouldBeEmpty();

    [Fact]
    public void Check_NewFieldWithoutDefault_NamesTheField() =>
        AvroCompatibility.Check(Record("""{"name":"a","type":"int"},{"name":"b","type":"int"}"""), Record("""{"name":"a","type":"int"}"""))
            .ShouldBe(["/b: field 'b' is not in the writer and has no default; give it one (or an alias that names the writer's field)"]);

    [Fact]
    public void Check_RenamedField_IsReadableByItsAliasOnly()
    {
        const string writer = """{"name":"old","type":"int"}""";
        AvroCompatibility.Check(Record("""{"name":"new","type":"long","aliases":["old"]}"""), Record(writer)).ShouldBeEmpty();
        AvroCompatibility.Check(Record("""{"name":"new","type":"long"}"""), Record(writer)).ShouldHaveSingleItem();
    }

    [Fact]
    public void Check_RenamedRecord_IsReadableByItsAliasOnly()
    {
        const string writer = """{"type":"record","name":"n.Old","fields":[]}""";
        AvroCompatibility.Check("""{"type":"record","name":"n.New","aliases":["Old"],"fields":[]}""", writer).ShouldBeEmpty();
        AvroCompatibility.Check("""{"type":"record","name":"m.Old","fields":[]}""", writer).ShouldBeEmpty();
        AvroCompatibility.Check("""{"type":"record","name":"n.New","fields":[]}""", writer).ShouldHaveSingleItem().ShouldContain("alias 'n.Old'");
    }

    [Fact]
    public void Check_NestedRecord_NamesThePlace() =>
        AvroCompatibility.Check(Record(Nested("int")), Record(Nested("string"))).ShouldHaveSingleItem().ShouldStartWith("/inner/items/x: ");

    [Fact]
    public void Check_RecursiveRecord_Ends()
    {
        const string list = """{"type":"record","name":"L","fields":[{"name":"v","type":"TYPE"},{"name":"next","type":["null","L"]}]}""";
        AvroCompatibility.Check(list.Replace("TYPE", "long"), list.Replace("TYPE", "int")).ShouldBeEmpty();
        AvroCompatibility.Check(list.Replace("TYPE", "int"), list.Replace("TYPE", "long")).ShouldHaveSingleItem().ShouldStartWith("/v: ");
    }

    [Fact]
    public void Check_UnionOfRecords_SaysWhyTheNearestBranchFails()
    {
        string reader = $"""["null",{Record("""{"name":"a","type":"int"}""")}]""";
        AvroCompatibility.Check(reader, Record("""{"name":"a","type":"string"}""")).ShouldHaveSingleItem().ShouldStartWith("/a: ");
    }

    private static string Record(string fields) => $$"""{"type":"record","name":"R","fields":[{{fields}}]}""";

    private static string Nested(string type) =>
        """{"name":"inner","type":{"type":"array","items":{"type":"record","name":"I","fields":[{"name":"x","type":"TYPE"}]}}}""".Replace("TYPE", type);
}
