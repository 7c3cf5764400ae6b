using Microsoft.Extensions.Logging;
using StreamMl.Shared.Log;

namespace StreamMl.StreamFeatures;

internal sealed partial class LogRunner
{
    [LoggerMessage(Level = LogLevel.Information, Message = "{Partition}: claimed, reading from offset {Offset} with epoch {Epoch}")]
    private static partial void Claimed(ILogger logger, PartitionId partition, long offset, long epoch);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Partition}: not drained within {TimeoutMs} ms; the next owner reads again what was not committed")]
    private static partial void DrainTimedOut(ILogger logger, PartitionId partition, int timeoutMs);
}
