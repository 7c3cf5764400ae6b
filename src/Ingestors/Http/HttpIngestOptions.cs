using System.ComponentModel.DataAnnotations;

namespace StreamMl.Ingestors.Http;

/// <summary>The HTTP endpoint that takes events.</summary>
public sealed class HttpIngestOptions
{
    /// <summary>Where it listens. Default <c>http://127.0.0.1:8090</c>; port 0 takes a free one.</summary>
    [Required]
    public string Url { get; set; } = "http://127.0.0.1:8090";

    /// <summary>Longest request body; beyond it the answer is 413. 1 KiB to 256 MiB, default 8 MiB.</summary>
    [Range(1024, 256 << 20)]
    public int BodyMaxBytes { get; set; } = 8 << 20;

    /// <summary>Most records in one request; beyond it the answer is 413. 1 to 100,000, default 10,000.</summary>
    [Range(1, 100_000)]
    public int RecordsMax { get; set; } = 10_000;

    /// <summary>Bytes of all requests that are not yet answered; beyond it the answer is 429. 1 KiB to 1 GiB, default 32 MiB.</summary>
    [Range(1024, 1 << 30)]
    public int InFlightMaxBytes { get; set; } = 32 << 20;

    /// <summary>Answers that are remembered by Idempotency-Key, the oldest forgotten first. 0 to 1,000,000, default 10,000.</summary>
    [Range(0, 1_000_000)]
    public int IdempotencyKeysMax { get; set; } = 10_000;
}
