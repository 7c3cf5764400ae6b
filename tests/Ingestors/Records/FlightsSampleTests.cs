using System.Diagnostics;
using StreamMl.Ingestors.Records;

namespace StreamMl.Ingestors.Tests.Records;

/// <summary>The sample in the repository, read as a replay reads it.</summary>
public sealed class FlightsSampleTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData("flight-schedules", 336_776, 0)]
    [InlineData("departures", 328_521, 8_255)]
    [InlineData("landings", 327_346, 9_430)]
    [InlineData("weather", 26_115, 0)]
    public void Read_EveryRow_IsAnEvent(string source, long good, long notWanted)
    {
        var mapping = TestSources.FlightsMapping.Sources.Single(s => s.Source == source);
        using var folder = new TestFolder();
        using var records = new FileRecords(mapping, TestSources.Flights(source), schemaId: 1);
        using IRecordStream stream = mapping.Sort ? new SortedRecords(records, folder.Path) : records;
        var started = Stopwatch.GetTimestamp();
        var block = new RecordBlock();
        var (last, bytes) = (long.MinValue, 0L);
        while (stream.Read(block))
        {
            for (var i = 0; i < block.Count; i++)
            {
                block.Problem(i).ShouldBeNull();
                block.ArrivalTimeUs(i).ShouldBeGreaterThanOrEqualTo(last);
                last = block.ArrivalTimeUs(i);
            }

            bytes += block.Bytes;
        }

        var seconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
        output.WriteLine($"{source}: {good / seconds:N0} rows/s, {bytes / good} B a record");
        (records.Counts.Read, records.Counts.Good, records.Counts.Bad, records.Counts.NotWanted).ShouldBe((good + notWanted, good, 0, notWanted));
        records.Unset.ShouldBeEmpty();
    }
}
