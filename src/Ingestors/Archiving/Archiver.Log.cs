using Microsoft.Extensions.Logging;
using StreamMl.Infrastructure.Archive;
using StreamMl.Shared.Log;

namespace StreamMl.Ingestors.Archiving;

internal sealed partial class Archiver
{
    [LoggerMessage(Level = LogLevel.Information, Message = "Archiving {Partition} from offset {Offset}")]
    private static partial void Opened(ILogger logger, PartitionId partition, long offset);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The archive of {Partition} begins at offset {Offset}: its topic no longer has the offsets before. Nothing can be rebuilt or backfilled from it, unless an "
        + "archive that has them is put before it")]
    private static partial void BegunLate(ILogger logger, PartitionId partition, long offset);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Lost, and written down in the archive: {Loss}. Nothing can be rebuilt, backfilled or checked across it")]
    private static partial void LossAccepted(ILogger logger, ArchiveLoss loss);

    [LoggerMessage(Level = LogLevel.Debug, Message = "Archived {Partition} up to offset {Offset}")]
    private static partial void Rolled(ILogger logger, PartitionId partition, long offset);
}
