using StreamMl.Infrastructure.Archive;
using StreamMl.Shared.Events;
using StreamMl.Shared.Features;

namespace StreamMl.Infrastructure.Tests.Archive;

public sealed class ServedVectorTests : IDisposable
{
    private static readonly ServedVectorSchema Schema = new(
        "delay", new string('a', 64), ["origin", "tailnum"], ["landed", "aircraft"],
        [new FeatureColumn("landed", "mean_1h", FieldType.Float64), new FeatureColumn("aircraft", "last_dest", FieldType.String)]);

    private readonly TempDirectory directory = new();

    public void Dispose() => directory.Dispose();

    [Fact]
    public void Read_WhatWasWritten_GivesTheSameLanesAndNulls()
    {
        using (var writer = new ServedVectorWriter(directory.Path, Schema))
        {
            var row = new FeatureRow(2);
            row.Set(0, double.NaN);
            row.Set(1, "JFK"u8);
            writer.Append(5, (1, 42), ["EWR", "N1"], [new ServedPosition(0, 7, 100), new ServedPosition(1, 8, long.MinValue)], row);
            row.Clear();
            writer.Append(6, null, ["EWR", null], [new ServedPosition(0, 9, 101), ServedPosition.NotRead], row);
        }

        using var reader = new ServedVectorReader(directory.Path, Schema);
        var batch = new EventBatch(reader.Table);
        reader.Read(batch, 100).ShouldBeTrue();
        batch.Count.ShouldBe(2);
        BitConverter.DoubleToInt64Bits(double.NaN).ShouldBe(batch.Column("landed.mean_1h").Lanes[0]);
        batch.Arena.GetString(batch.Column("aircraft.last_dest").Lanes[0]).ShouldBe("JFK");
        batch.Column("aircraft!watermark_us").Lanes[0].ShouldBe(long.MinValue);
        batch.Column("aircraft!partition").Valid[1].ShouldBe((byte)0);
        batch.Column("tailnum").Valid[1].ShouldBe((byte)0);
        reader.Read(batch, 100).ShouldBeFalse();
    }

    [Fact]
    public void Read_OtherDefinition_IsRefused()
    {
        new ServedVectorWriter(directory.Path, Schema).Dispose();
        using (var writer = new ServedVectorWriter(directory.Path, Schema))
            writer.Append(6, null, ["EWR", null], [new ServedPosition(0, 9, 101), ServedPosition.NotRead], new FeatureRow(2));
        using var reader = new ServedVectorReader(directory.Path, Schema with { ServiceHash = new string('b', 64) });
        Should.Throw<InvalidDataException>(() => reader.Read(new EventBatch(reader.Table), 10)).Message.ShouldContain("definition aaaaaaaa");
    }

    [Fact]
    public void Read_FilesOfTwoDefinitions_LeavesOutAndCountsTheOther()
    {
        var other = Schema with { ServiceHash = new string('b', 64), Columns = [new FeatureColumn("landed", "mean_6h", FieldType.Float64)] };
        foreach (var (schema, name) in new[] { (Schema, "a"), (other, "b"), (Schema, "c") })
        {
            using var writer = new ServedVectorWriter(directory.Path, schema, name);
            writer.Append(6, null, ["EWR", null], [new ServedPosition(0, 9, 101), ServedPosition.NotRead], new FeatureRow(schema.Columns.Count));
        }

        using var reader = new ServedVectorReader(directory.Path, Schema, leaveOutOthers: true);
        var batch = new EventBatch(reader.Table);
        reader.Read(batch, 10).ShouldBeTrue();
        reader.Read(batch, 10).ShouldBeTrue();
        reader.Read(batch, 10).ShouldBeFalse();
        reader.LeftOut.ShouldBe(new Dictionary<string, int>(StringComparer.Ordinal) { ["bbbbbbbb"] = 1 });
    }
}
