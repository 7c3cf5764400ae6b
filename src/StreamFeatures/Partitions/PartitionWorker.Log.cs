using Microsoft.Extensions.Logging;
using StreamMl.Shared.Log;
using StreamMl.StreamFeatures.Commits;

namespace StreamMl.StreamFeatures.Partitions;

internal sealed partial class PartitionWorker
{
    [LoggerMessage(Level = LogLevel.Information, Message = "{Partition}: drained at offset {Offset}")]
    private static partial void Drained(ILogger logger, PartitionId partition, long offset);

    [LoggerMessage(Level = LogLevel.Information, Message = "{Partition}: dropped without a commit")]
    private static partial void Aborted(ILogger logger, PartitionId partition);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Partition}: starting over at the store's position, was at offset {Offset}: {Why}")]
    private static partial void StartingOver(ILogger logger, PartitionId partition, long offset, CommitVerdict why);
}
