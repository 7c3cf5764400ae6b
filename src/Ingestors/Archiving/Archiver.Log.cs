using Microsoft.Extensions.Logging;
using StreamMl.Shared.Log;

namespace StreamMl.Ingestors.Archiving;

internal sealed partial class Archiver
{
    [LoggerMessage(Level = LogLevel.Information, Message = "Archiving {Partition} from offset {Offset}")]
    private static partial void Opened(ILogger logger, PartitionId partition, long offset);

    [LoggerMessage(Level = LogLevel.Debug, Message = "Archived {Partition} up to offset {Offset}")]
    private static partial void Rolled(ILogger logger, PartitionId partition, long offset);
}
