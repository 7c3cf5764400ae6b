using ParquetSharp;
using StreamMl.Ingestors.Files;
using StreamMl.Ingestors.Times;
using StreamMl.Shared.Events;

namespace StreamMl.Ingestors.Tests.Files;

public sealed class RowFileTests : IDisposable
{
    private readonly TestFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void Read_Csv_QuotesNullsAndBadCells()
    {
        var path = folder.Write("a.csv", "name,n,x,ok\n\"Smith, \"\"J\"\"\",7,1.5,true\nÅse,NA,,no\nx,seven,2,maybe\nshort,1\n");
        var rows = ReadAll(path, [("name", FieldType.String), ("n", FieldType.Int64), ("x", FieldType.Float64), ("ok", FieldType.Boolean), ("gone", FieldType.String)], new RowFileOptions(Nulls: ["NA"]));
        rows[0].Cells.ShouldBe(["Smith, \"J\"", 7L, 1.5, true, null]);
        rows[1].Cells.ShouldBe(["Åse", null, null, false, null]);
        rows[2].Problem.ShouldBe("column 'n': 'seven' is not a whole number of 64 bits");
        rows[2].Original.ShouldBe("x,seven,2,maybe");
        rows[3].Problem.ShouldBe("the row has 2 cells where the header names 4");
    }

    [Fact]
    public void Read_JsonLines_NestedMembersEscapesAndBadLines()
    {
        var path = folder.Write("a.jsonl", "{\"name\":\"a\\u00e9\\n\",\"user\":{\"id\":5,\"tags\":[1,2]},\"x\":1e3}\r\n\n{\"name\":null}\n[1]\n{\"name\":\"b\"\n{\"user\":{\"id\":\"x\"}}");
        RowFile.Columns(path).Select(c => c.Name).ShouldBe(["name", "user.id", "user.tags", "x"]);
        var rows = ReadAll(path, [("name", FieldType.String), ("user.id", FieldType.Int64), ("user.tags", FieldType.String), ("x", FieldType.Float64)]);
        rows.Count.ShouldBe(5);
        rows[0].Cells.ShouldBe(["aé\n", 5L, "[1,2]", 1000.0]);
        rows[1].Cells.ShouldBe([null, null, null, null]);
        rows[2].Problem.ShouldNotBeNull().ShouldContain("not a JSON object");
        rows[3].Problem.ShouldNotBeNull().ShouldContain("is not JSON");
        rows[3].Original.ShouldBe("{\"name\":\"b\"");
        rows[4].Problem.ShouldBe("column 'user.id': 'x' is not a whole number of 64 bits");
    }

    [Fact]
    public void Read_Parquet_EveryTypeAndNullsOverManyGroups()
    {
        var path = Path.Combine(folder.Path, "a.parquet");
        var count = 10_000;
        var when = new DateTime(2013, 5, 1, 8, 30, 0, DateTimeKind.Utc);
        using (var file = new ParquetFileWriter(path,
            [new Column<int>("i"), new Column<long?>("l"), new Column<float>("f"), new Column<double?>("d"), new Column<bool>("b"), new Column<string?>("s"), new Column<DateTime>("t", LogicalType.Timestamp(true, TimeUnit.Micros))]))
        {
            for (var g = 0; g < 2; g++)
            {
                using var group = file.AppendRowGroup();
                Write(group, i => i);
                Write(group, i => i % 3 == 0 ? null : (long?)i);
                Write(group, i => i / 2f);
                Write(group, i => i % 7 == 0 ? null : (double?)(i / 4.0));
                Write(group, i => i % 2 == 0);
                Write(group, i => i % 5 == 0 ? null : $"s{i}");
                Write(group, i => when.AddSeconds(i));
            }

            file.Close();
        }

        var rows = ReadAll(path, [("i", FieldType.Int64), ("l", FieldType.Float64), ("f", FieldType.Float64), ("d", FieldType.Float64), ("b", FieldType.Boolean), ("s", FieldType.String), ("t", FieldType.Timestamp), ("i", FieldType.String)]);
        rows.Count.ShouldBe(2 * count);
        for (var r = 0; r < rows.Count; r++)
        {
            var i = r % count;
            rows[r].Row.ShouldBe(r + 1);
            rows[r].Cells.ShouldBe([(long)i, i % 3 == 0 ? null : (double)i, i / 2.0, i % 7 == 0 ? null : i / 4.0, i % 2 == 0, i % 5 == 0 ? null : $"s{i}", when.AddSeconds(i), $"{i}"]);
        }

        void Write<T>(RowGroupWriter group, Func<int, T> value)
        {
            using var writer = group.NextColumn().LogicalWriter<T>();
            writer.WriteBatch([.. Enumerable.Range(0, count).Select(value)]);
        }
    }

    [Fact]
    public void Read_ParquetFractionAsWhole_IsAProblemOfItsRow()
    {
        var path = Path.Combine(folder.Path, "a.parquet");
        using (var file = new ParquetFileWriter(path, [new Column<double>("d")]))
        {
            using var group = file.AppendRowGroup();
            using (var writer = group.NextColumn().LogicalWriter<double>())
                writer.WriteBatch([1.0, 1.5]);
            file.Close();
        }

        var rows = ReadAll(path, [("d", FieldType.Int64)]);
        rows[0].Cells.ShouldBe([1L]);
        rows[1].Problem.ShouldBe("column 'd': 1.5 is not a whole number");
        rows[1].Original.ShouldBe("{\"c0\":null}");
    }

    [Fact]
    public void Open_UnknownKindAndMissingFile_AreRefusedWithTheRemedy()
    {
        Should.Throw<RowFileException>(() => RowFile.Columns(Path.Combine(folder.Path, "a.csv"))).Message.ShouldContain("there is no such file");
        Should.Throw<RowFileException>(() => RowFile.Columns(folder.Write("a.xlsx", ""))).Message.ShouldContain(".parquet");
        Should.Throw<RowFileException>(() => RowFile.Columns(folder.Write("a.parquet", "nothing"))).Message.ShouldContain("no Parquet file");
    }

    private static List<(long Row, object?[] Cells, string? Problem, string Original)> ReadAll(string path, (string Name, FieldType Type)[] columns, RowFileOptions? options = null)
    {
        var schema = new EventSchema("test", [.. columns.Select((c, i) => new EventField($"c{i}", c.Type, true))]);
        using var reader = RowFile.Open(path, [.. columns.Select((c, i) => new CellBinding(c.Name, i, new CellFormat(c.Type, TimeFormat.Iso)))], options);
        var chunk = new RowChunk(schema, rows: 1000);
        var rows = new List<(long, object?[], string?, string)>();
        while (reader.Read(chunk))
        {
            for (var r = 0; r < chunk.Rows.Count; r++)
                rows.Add((chunk.Rows.Offsets[r], [.. chunk.Rows.Columns.Select(c => Cell(chunk.Rows, c, r))], chunk.ProblemOf(r), System.Text.Encoding.UTF8.GetString(chunk.OriginalOf(r))));
        }

        return rows;
    }

    private static object? Cell(EventBatch batch, EventColumn column, int row) => column.Valid[row] == 0 ? null : column.Type switch
    {
        FieldType.String => batch.Arena.GetString(column.Lanes[row]),
        FieldType.Boolean => column.Lanes[row] != 0,
        FieldType.Float64 => column.Doubles[row],
        FieldType.Timestamp => Shared.Time.TimeGrid.ToDateTime(column.Lanes[row]),
        _ => column.Lanes[row],
    };
}
