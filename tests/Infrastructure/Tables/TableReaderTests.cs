using StreamMl.Infrastructure.Tables;
using StreamMl.Infrastructure.Tests.Archive;
using StreamMl.Shared.Events;

namespace StreamMl.Infrastructure.Tests.Tables;

public sealed class TableReaderTests : IDisposable
{
    private readonly TempDirectory directory = new();

    public void Dispose() => directory.Dispose();

    [Fact]
    public void Csv_Cells_FindTheNarrowestTypeThatAllFit()
    {
        var path = Path.Combine(directory.Path, "spine.csv");
        File.WriteAllText(path, "time,origin,delay,late,share\n2013-01-01T10:00:00Z,JFK,5,true,0.5\n2013-01-01 11:00:00.5,,,false,2\n");
        using var reader = TableReader.Open(path);
        reader.Schema.Fields.Select(f => f.Type).ShouldBe([FieldType.Timestamp, FieldType.String, FieldType.Int64, FieldType.Boolean, FieldType.Float64]);
        var batch = new EventBatch(reader.Schema, 1);
        reader.Read(batch, 10).ShouldBeTrue();
        batch.Count.ShouldBe(2);
        batch.Column("time").Lanes[1].ShouldBe(1357038000500000);
        batch.Column("origin").Valid[1].ShouldBe((byte)0);
        batch.Column("late").Lanes[0].ShouldBe(1);
    }

    [Fact]
    public void Arrow_WhatWasWritten_ReadsBackInSlices()
    {
        var path = Path.Combine(directory.Path, "table.arrow");
        var schema = new EventSchema("t", [.. Enum.GetValues<FieldType>().Select(t => new EventField(t.ToString(), t, Nullable: true))]);
        var batch = new EventBatch(schema);
        for (var row = 0; row < 100; row++)
        {
            foreach (var column in batch.Columns)
            {
                if (row % 7 == 3)
                    column.SetNull(row);
                else
                    column.Set(row, column.Type == FieldType.String ? batch.Arena.Append($"text {row}") : column.Type == FieldType.Boolean ? row % 2 : row * 1_000_003L);
            }
        }

        batch.Count = 100;
        using (var writer = new ArrowTableWriter(path, schema))
        {
            writer.Write(batch);
            writer.Write(batch);
            writer.Commit();
        }

        using var reader = TableReader.Open(path);
        var read = new EventBatch(reader.Schema, 1);
        var rows = 0;
        while (reader.Read(read, 33))
        {
            for (var i = 0; i < read.Count; i++, rows++)
            {
                for (var c = 0; c < read.Columns.Count; c++)
                {
                    read.Columns[c].Valid[i].ShouldBe(batch.Columns[c].Valid[rows % 100]);
                    if (read.Columns[c].Type == FieldType.String && read.Columns[c].Valid[i] != 0)
                        read.Arena.GetString(read.Columns[c].Lanes[i]).ShouldBe($"text {rows % 100}");
                    else if (read.Columns[c].Type != FieldType.String)
                        read.Columns[c].Lanes[i].ShouldBe(batch.Columns[c].Lanes[rows % 100]);
                }
            }
        }

        rows.ShouldBe(200);
    }
}
