using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using StreamMl.Infrastructure.Avro;
using StreamMl.Shared.Log;
using StreamMl.Shared.Store;
using StreamMl.StreamFeatures.Logs;
using StreamMl.StreamFeatures.Outgoing;

namespace StreamMl.StreamFeatures.Partitions;

/// <summary>What a partition's worker is given. All of it is thread-safe and shared.</summary>
internal sealed record PartitionContext(
    LogPlan Plan,
    PartitionId Partition,
    EventDecoderSet Decoders,
    IStateStore Store,
    IOutboxes Outboxes,
    Retry Retry,
    StreamMetrics Metrics,
    StreamFeaturesOptions Options,
    TimeProvider Time)
{
    /// <summary>The share of the memory budget of one view of one partition; set by the worker from how many there are.</summary>
    public required Func<long> ResidentShare { get; init; }

    /// <summary>
    /// Before the positions are claimed again: holds them to their topic (a store that came back empty has forgotten which one that is), and says where the partition begins now. Default: it has all that it
    /// ever had.
    /// </summary>
    public Func<CancellationToken, Task<LogEdge>> LookAtLogAsync { get; init; } = _ => Task.FromResult(LogEdge.Whole);

    /// <summary>Where the worker runs: the thread pool. Everything that it awaits comes back to it, so one that picks what runs next sees every step.</summary>
    public TaskScheduler Scheduler { get; init; } = TaskScheduler.Default;

    /// <summary>Is told what could not be sent, and why. Default: nobody is.</summary>
    public ILogger Logger { get; init; } = NullLogger.Instance;

    public long ResidentMaxBytesPerView => ResidentShare();
}
