using System.ComponentModel.DataAnnotations;

namespace StreamMl.OnlineScorer.Scoring;

/// <summary>Scoring, by event and by request.</summary>
public sealed class ScoringOptions
{
    /// <summary>The models that may serve, by name. Default: none named, which is every model of the registry whose service the catalogue has.</summary>
    public IReadOnlyList<string> Models { get; set; } = [];

    /// <summary>How often the registry's aliases are looked at, in milliseconds: so soon a promoted model serves. 10 to 3,600,000; default 1,000.</summary>
    [Range(10, 3_600_000)]
    public int WatchMs { get; set; } = 1_000;

    /// <summary>Rows of one request. 1 to 100,000; default 1,000.</summary>
    [Range(1, 100_000)]
    public int MaxRows { get; set; } = 1_000;

    /// <summary>Where gRPC listens, as http://127.0.0.1:8089 (HTTP/2 without TLS); port 0 takes a free one. Null (default): it does not.</summary>
    public string? GrpcUrl { get; set; }

    /// <summary>Pause before a lost registry of schemas is tried again, in milliseconds. 10 to 60,000; default 200.</summary>
    [Range(10, 60_000)]
    public int RetryMs { get; set; } = 200;
}
