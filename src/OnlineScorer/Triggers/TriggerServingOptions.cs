using System.ComponentModel.DataAnnotations;

namespace StreamMl.OnlineScorer.Triggers;

/// <summary>Serving of trigger events.</summary>
public sealed class TriggerServingOptions
{
    /// <summary>The services to serve. Default: none named, which is every service of the catalogue that has a trigger.</summary>
    public IReadOnlyList<string> Services { get; set; } = [];

    /// <summary>The installation's directory; served vectors are kept in <c>served/SERVICE</c> under it. Null (default): they are not kept.</summary>
    public string? Directory { get; set; }

    /// <summary>Tells the files of several processes apart. Letters, digits and '_'. Default "scorer".</summary>
    [RegularExpression("[A-Za-z0-9_]+")]
    public string WriterName { get; set; } = "scorer";

    /// <summary>
    /// This worker's name in the services' groups (<c>group.instance.id</c>), unique and the same after a restart: its partitions then wait for it for as long as the client's session timeout, 45 s.
    /// Null (default): none.
    /// </summary>
    public string? GroupInstanceId { get; set; }

    /// <summary>Trigger events of one read: more of them wait longer for each other, fewer share less of a round trip. 1 to 8,192; default 320.</summary>
    [Range(1, 8_192)]
    public int MaxBatch { get; set; } = 320;

    /// <summary>
    /// Reads under way at once: while the store answers one batch, another is scored and the next is decoded. The memory of so many batches is kept. 1 (one after the
    /// other) to 16; default 3.
    /// </summary>
    [Range(1, 16)]
    public int MaxRounds { get; set; } = 3;

    /// <summary>
    /// How long a batch waits for the views to come as far as it, in milliseconds; then it is read as the store stands, which is logged and counted. 0 to
    /// 600,000; default 5,000.
    /// </summary>
    [Range(0, 600_000)]
    public int MaxWaitMs { get; set; } = 5_000;

    /// <summary>
    /// A batch whose newest event arrived longer ago than this, in milliseconds, comes from a replay or a backlog, where minutes pass in seconds: it also waits
    /// until every source that feeds the service has applied all that its topic held when the batch was seen, so that its vectors are those that real time
    /// would have given. Live the wait would only add latency. 0: always wait; <see cref="int.MaxValue"/>: never. Default 10,000.
    /// </summary>
    [Range(0, int.MaxValue)]
    public int AlignOlderThanMs { get; set; } = 10_000;

    /// <summary>How often the positions are looked at while waiting, in milliseconds. 1 to 1,000; default 2.</summary>
    [Range(1, 1_000)]
    public int PollMs { get; set; } = 2;

    /// <summary>How often what is served is made durable, in milliseconds: after a crash this much is served again. 10 to 600,000; default 5,000.</summary>
    [Range(10, 600_000)]
    public int FlushMs { get; set; } = 5_000;

    /// <summary>A service that has no position yet starts behind the newest trigger event instead of at the first. Default false.</summary>
    public bool StartAtEnd { get; set; }

    /// <summary>Pause before a lost store or registry is tried again, in milliseconds. 10 to 60,000; default 200.</summary>
    [Range(10, 60_000)]
    public int RetryMs { get; set; } = 200;

    /// <summary>How long a stop may take to make durable what was served, in milliseconds. 100 to 600,000; default 10,000.</summary>
    [Range(100, 600_000)]
    public int DrainMs { get; set; } = 10_000;
}
