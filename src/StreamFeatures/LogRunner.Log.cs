using Microsoft.Extensions.Logging;
using StreamMl.Shared.Log;

namespace StreamMl.StreamFeatures;

internal sealed partial class LogRunner
{
    [LoggerMessage(Level = LogLevel.Information, Message = "{Partition}: claimed, reading from offset {Offset} with epoch {Epoch}")]
    private static partial void Claimed(ILogger logger, PartitionId partition, long offset, long epoch);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Partition}: the store has no position of {Names}, and the log begins at offset {First}: its offsets 0 to {Last} will be in none of their values. If this store had them before, or an archive has them, stop the workers and run `streamml rebuild --all --yes`")]
    internal static partial void BegunLate(ILogger logger, PartitionId partition, string names, long first, long last);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Partition}: not drained within {TimeoutMs} ms; the next owner reads again what was not committed")]
    private static partial void DrainTimedOut(ILogger logger, PartitionId partition, int timeoutMs);
}
