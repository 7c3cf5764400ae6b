using System.Text;
using StreamMl.Infrastructure.Archive;
using StreamMl.Shared.Log;

namespace StreamMl.Infrastructure.Tests.Archive;

public sealed class ArchivePartitionTests : IDisposable
{
    private static readonly PartitionId Log = new("landings", 1);
    private readonly TempDirectory directory = new();
    private readonly ArchiveLayout layout;
    private readonly ArchiveRollOptions options = new() { BatchRecords = 7 };

    public ArchivePartitionTests() => layout = new ArchiveLayout(directory.Path);

    public void Dispose() => directory.Dispose();

    [Fact]
    public void Read_AfterRolls_GivesEveryRecordInOffsetOrder()
    {
        Write(0, 10);
        Write(10, 35);
        var reader = new ArchivePartitionReader(layout, Log);
        reader.Files.Select(f => (f.FirstOffset, f.LastOffset)).ShouldBe([(0L, 9L), (10L, 34L)]);
        Texts(reader).ShouldBe(Enumerable.Range(0, 35).Select(i => $"{i}:{1000 + i}:k{i}:v{i}:{(i % 3 == 0 ? -1 : i % 3)}"));
        Texts(reader, 8, 12).Select(t => t.Split(':')[0]).ShouldBe(["8", "9", "10", "11"]);
    }

    [Fact]
    public void Read_NullKeyAndTombstone_StayApartFromEmpty()
    {
        using (var writer = new ArchivePartitionWriter(layout, Log, options))
        {
            writer.Append(3, 1, default, hasKey: false, default, hasValue: true, -1, 0);
            writer.Append(5, 2, default, hasKey: true, default, hasValue: false, -1, 0);
            writer.Roll();
        }

        using var chunk = new ArchivePartitionReader(layout, Log).Read().ShouldHaveSingleItem();
        (chunk.HasKey(0), chunk.HasValue(0), chunk.HasKey(1), chunk.HasValue(1)).ShouldBe((false, true, true, false));
        layout.Files(Log)[0].FirstOffset.ShouldBe(0, "a file covers the offsets that the log skipped before its first record");
    }

    [Fact]
    public void Roll_LogEndsInMarkers_FilesCoverThem()
    {
        using (var writer = new ArchivePartitionWriter(layout, Log, options))
        {
            writer.Append(3, 1, "k"u8, hasKey: true, "v"u8, hasValue: true, 0, 0);
            writer.SkipTo(5);
            writer.Roll();
            writer.SkipTo(9);
            writer.SkipTo(7);
            writer.Roll();
            writer.Roll();
        }

        var reader = new ArchivePartitionReader(layout, Log);
        reader.Files.Select(f => (f.FirstOffset, f.LastOffset)).ShouldBe([(0L, 4L), (5L, 8L)], "an aborted transaction leaves offsets without records, in a file of its own too");
        Texts(reader).ShouldBe(["3:1:k:v:0"]);
        using var next = new ArchivePartitionWriter(layout, Log, options);
        next.NextOffset.ShouldBe(9);
    }

    [Fact]
    public void Open_AfterKill_ContinuesBehindTheLastCompleteFile()
    {
        Write(0, 10);
        File.WriteAllText(Path.Combine(layout.PartitionDirectory(Log), "pending.tmp"), "half a file");
        using var writer = new ArchivePartitionWriter(layout, Log, options);
        writer.NextOffset.ShouldBe(10);
        Directory.GetFiles(layout.PartitionDirectory(Log), "*.tmp").ShouldBeEmpty();
    }

    [Fact]
    public void Open_SecondWriter_IsRefused()
    {
        using var first = new ArchivePartitionWriter(layout, Log, options);
        Should.Throw<IOException>(() => new ArchivePartitionWriter(layout, Log, options)).Message.ShouldContain("another archiver");
    }

    [Fact]
    public void Reader_MissingFile_NamesTheMissingOffsets()
    {
        Write(0, 10);
        Write(10, 20);
        Write(20, 30);
        File.Delete(layout.FilePath(Log, 10, 19));
        Should.Throw<InvalidDataException>(() => new ArchivePartitionReader(layout, Log)).Message.ShouldContain("offsets 10 to 19 are missing");
        File.Delete(layout.FilePath(Log, 20, 29));
        Should.Throw<InvalidDataException>(() => new ArchivePartitionReader(layout, Log).Require(0, 12)).Message.ShouldContain("offsets 10 to 11 are missing");
    }

    [Fact]
    public void Reader_TruncatedFile_IsRefused()
    {
        Write(0, 10);
        using (var file = new FileStream(layout.FilePath(Log, 0, 9), FileMode.Open))
            file.SetLength(file.Length - 20);
        Should.Throw<InvalidDataException>(() => new ArchivePartitionReader(layout, Log).Read().Count()).Message.ShouldContain("not a complete Arrow IPC file");
    }

    [Fact]
    public void Partitions_AnotherCount_IsRefused()
    {
        layout.SetPartitions("landings", 4);
        layout.SetPartitions("landings", 4);
        layout.Partitions("landings").ShouldBe(4);
        Should.Throw<InvalidOperationException>(() => layout.SetPartitions("landings", 8)).Message.ShouldContain("written from 4");
    }

    private void Write(int from, int to)
    {
        using var writer = new ArchivePartitionWriter(layout, Log, options);
        for (var i = from; i < to; i++)
            writer.Append(i, 1000 + i, Encoding.UTF8.GetBytes($"k{i}"), true, Encoding.UTF8.GetBytes($"v{i}"), true, i % 3 == 0 ? -1 : i % 3, i * 10);
        writer.Roll();
    }

    private static List<string> Texts(ArchivePartitionReader reader, long from = 0, long to = long.MaxValue)
    {
        var texts = new List<string>();
        foreach (var chunk in reader.Read(from, to))
        {
            using (chunk)
            {
                for (var i = 0; i < chunk.Count; i++)
                    texts.Add($"{chunk.Offsets[i]}:{chunk.ArrivalTimesUs[i]}:{Encoding.UTF8.GetString(chunk.Key(i))}:{Encoding.UTF8.GetString(chunk.Value(i))}:{chunk.SourcePartition(i)}");
            }
        }

        return texts;
    }
}
