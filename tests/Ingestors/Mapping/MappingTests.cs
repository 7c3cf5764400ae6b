using StreamMl.Infrastructure.Avro;
using StreamMl.Ingestors.Mapping;
using StreamMl.Ingestors.Records;
using StreamMl.Shared.Events;
using StreamMl.Shared.Time;

namespace StreamMl.Ingestors.Tests.Mapping;

public sealed class MappingTests : IDisposable
{
    private readonly TestFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void Read_ConstantsExpressionsTimesAndFilter_MakeTheEvent()
    {
        folder.Write("taps.csv", "card,when,price,n,lag\n17,2013-01-01 12:00,2.5,3,10\n18,2013-01-01 12:01,,0,\n19,2013-01-01 12:02,4,5,2\n");
        var rows = Read("""
            sources:
              taps:
                file: taps.csv
                where: n > 0
                types: { price: double }
                eventTime: { time: when - 1m, format: "yyyy-MM-dd HH:mm", zone: America/New_York }
                arrivalDelay: 5s
                fields:
                  count: n
                  amount: { expression: price * 2.0 }
                  shop: { constant: "042" }
                  ok: { constant: true }
            """);
        rows.Count.ShouldBe(2);
        rows[0].Problem.ShouldBeNull();
        rows[0].Key.ShouldBe("17");
        rows[0].ArrivalUs.ShouldBe(TimeGrid.FromDateTime(new DateTime(2013, 1, 1, 16, 59, 5, DateTimeKind.Utc)));
        Decode(rows[0].Value).ShouldBe(["17", "2013-01-01T16:59:00Z", "5", "3", "True", "042"]);
        Decode(rows[1].Value).ShouldBe(["19", "2013-01-01T17:01:00Z", "8", "5", "True", "042"]);
    }

    [Fact]
    public void Read_BadRows_AreKeptWithPlaceReasonAndBytes()
    {
        folder.Write("taps.csv", "card,at,count\n17,2013-01-01T00:00:00Z,1\n,2013-01-01T00:00:01Z,1\n18,yesterday,1\n19,2013-01-01T00:00:02Z,3000000000\n20,2013-01-01T00:00:03Z,2\n");
        using var stream = Open("sources:\n  taps:\n    file: taps.csv\n");
        var rows = TestSources.ReadAll(stream);
        rows.Select(r => r.Problem is null).ShouldBe([true, false, false, false, true]);
        rows[1].Problem!.Where.ShouldBe("taps.csv:2");
        rows[1].Problem!.Reason.ShouldContain("card");
        rows[2].Problem!.Reason.ShouldContain("'yesterday' is not an ISO 8601 time");
        System.Text.Encoding.UTF8.GetString(rows[3].Value).ShouldBe("19,2013-01-01T00:00:02Z,3000000000");
        rows[3].Problem!.Reason.ShouldContain("3000000000");
        rows[3].ArrivalUs.ShouldBe(rows[0].ArrivalUs, "a bad row arrives with the last good one before it");
        (stream.Counts.Read, stream.Counts.Good, stream.Counts.Bad, stream.Counts.NotWanted).ShouldBe((5, 2, 3, 0));
    }

    [Theory]
    [InlineData("sources:\n  taps:\n    file: taps.csv\n    were: x\n", "mapping.yaml:4:5", "Known are file, delimiter, nulls, types, where")]
    [InlineData("sources:\n  taps:\n    file: taps.csv\n    eventTime: { time: at, zone: Mars }\n", "mapping.yaml:4:34", "no time zone 'Mars'")]
    [InlineData("sources:\n  taps:\n    file: taps.csv\n    eventTime: at - x\n", "mapping.yaml:4:16", "sched_dep - 30m")]
    [InlineData("sources:\n  taps:\n    file: taps.csv\n    fields: { cont: x }\n", "mapping.yaml:4:21", "has no field 'cont'")]
    [InlineData("sources:\n  taps:\n    file: taps.csv\n    fields: { count: x }\n", "mapping.yaml:4:22", "the file has no column 'x'")]
    [InlineData("sources:\n  taps:\n    file: taps.csv\n    where: coun > 1\n", "mapping.yaml:4:12", "coun")]
    [InlineData("sources:\n  taps:\n    file: taps.csv\n    fields: { count: { constant: one } }\n", "mapping.yaml:4:22", "the constant 'one' is not a whole number")]
    [InlineData("sources:\n  taps:\n    file: nothing-*.csv\n", "mapping.yaml:3:11", "no file is like")]
    [InlineData("sources:\n  taps:\n    file: [\n", "mapping.yaml", "not YAML")]
    public void Read_BadMapping_NamesFileLineAndRemedy(string yaml, string place, string expected)
    {
        folder.Write("taps.csv", "card,at,count\n17,2013-01-01T00:00:00Z,1\n");
        var message = Should.Throw<MappingException>(() => Read(yaml)).Message;
        message.ShouldContain(place);
        message.ShouldContain(expected);
    }

    [Fact]
    public void Read_RequiredFieldWithoutColumn_IsRefused()
    {
        folder.Write("taps.csv", "card,at\n17,2013-01-01T00:00:00Z\n");
        Should.Throw<MappingException>(() => Read("sources:\n  taps:\n    file: taps.csv\n")).Message.ShouldContain("field 'count' of 'taps' comes from nowhere");
    }

    [Fact]
    public void Read_FilesOfAPattern_AreReadInTheOrderOfTheirNames()
    {
        folder.Write("taps-2.csv", "card,at,count\nb,2013-01-02T00:00:00Z,1\nc,bad,1\n");
        folder.Write("taps-1.csv", "card,at,count\na,2013-01-01T00:00:00Z,1\n");
        var rows = Read("sources:\n  taps:\n    file: taps-*.csv\n");
        rows.Select(r => r.Key).ShouldBe(["a", "b", null]);
        rows.Select(r => r.Row).ShouldBe([1, 2, 3]);
        rows[2].Problem!.Where.ShouldBe("taps-2.csv:2");
    }

    [Fact]
    public void Read_UnsortedFile_IsRefusedOrSorted()
    {
        folder.Write("taps.csv", "card,at,count\nb,2013-01-02T00:00:00Z,1\na,2013-01-01T00:00:00Z,1\n");
        Should.Throw<UnsortedFileException>(() => Read("sources:\n  taps:\n    file: taps.csv\n")).Message.ShouldContain("taps.csv:2");
        using var sorted = new SortedRecords(Open("sources:\n  taps:\n    file: taps.csv\n    sort: true\n"), folder.Path);
        TestSources.ReadAll(sorted).Select(r => r.Key).ShouldBe(["a", "b"]);
    }

    private List<(long ArrivalUs, long Row, string? Key, BadRow? Problem, byte[] Value)> Read(string yaml)
    {
        using var stream = Open(yaml);
        return TestSources.ReadAll(stream);
    }

    private FileRecords Open(string yaml) => new(MappingReader.Read(folder.Write("mapping.yaml", yaml)).Sources[0], TestSources.Taps, schemaId: 7);

    private static string?[] Decode(byte[] value)
    {
        var source = TestSources.Taps;
        ConfluentWire.TryReadSchemaId(value, out var id, out var body).ShouldBeTrue();
        id.ShouldBe(7);
        var batch = new EventBatch(source.Schema);
        new EventDecoder(source.AvroSchema, source, source.Schema).TryDecode(body, batch, batch.NextRow(), out _, out var error).ShouldBeTrue(error);
        return [.. batch.Columns.Select(c => c.Valid[0] == 0 ? null : c.Type switch
        {
            FieldType.String => batch.Arena.GetString(c.Lanes[0]),
            FieldType.Float64 => $"{c.Doubles[0]}",
            FieldType.Boolean => $"{c.Lanes[0] != 0}",
            FieldType.Timestamp => TimeGrid.Format(c.Lanes[0]),
            _ => $"{c.Lanes[0]}",
        })];
    }
}
