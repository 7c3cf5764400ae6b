using Microsoft.Extensions.Logging.Abstractions;
using StreamMl.Infrastructure.Archive;
using StreamMl.Infrastructure.Kafka;
using StreamMl.Ingestors.Archiving;
using StreamMl.Shared;
using StreamMl.Shared.Log;

namespace StreamMl.Ingestors.Tests.Archiving;

public sealed class ArchiverPartitionsTests : IDisposable
{
    private readonly string directory = Directory.CreateTempSubdirectory("streamml-archive-").FullName;

    public void Dispose() => Directory.Delete(directory, recursive: true);

    // It took the new partition, whose records an archive of two partitions has no place for.
    [Fact]
    public void Assigned_TopicGotAPartition_IsRefusedWithBothCountsAndOpensNothing()
    {
        var layout = new ArchiveLayout(directory);
        using var archiver = new Archiver(
            layout, new NoSource(), new Dictionary<string, int> { ["solo"] = 2 }, new SchemaArchive(layout, (_, _) => null), new ArchiverOptions(), TimeProvider.System, NullLogger.Instance);

        var error = Should.Throw<SetupException>(() => archiver.Assigned([new PartitionId("solo", 1), new PartitionId("solo", 2)]));

        error.Message.ShouldContain("topic 'solo' has at least 3 partitions");
        error.Message.ShouldContain("is written from 2");
        archiver.Positions.ShouldBeEmpty();
        archiver.Assigned([new PartitionId("solo", 1)]).Count.ShouldBe(1);
    }

    private sealed class NoSource : IRecordSource
    {
        public IReadOnlyCollection<PartitionId> Assignment => [];

        public bool TryReadBatch(RawRecordBatch into, TimeSpan wait) => false;

        public void Assign(IReadOnlyList<PartitionStart> starts)
        {
        }

        public void Subscribe(IReadOnlyList<string> topics, IAssignmentHandler handler)
        {
        }

        public void Pause(IReadOnlyCollection<PartitionId> partitions)
        {
        }

        public void Resume(IReadOnlyCollection<PartitionId> partitions)
        {
        }

        public void Seek(PartitionId partition, long offset)
        {
        }

        public void CommitForLag(IReadOnlyList<PartitionStart> nextOffsets)
        {
        }

        public void Dispose()
        {
        }
    }
}
