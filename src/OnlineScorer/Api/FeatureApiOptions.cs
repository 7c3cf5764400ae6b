using System.ComponentModel.DataAnnotations;

namespace StreamMl.OnlineScorer.Api;

/// <summary>The feature query API.</summary>
public sealed class FeatureApiOptions
{
    /// <summary>Where it listens. Default http://127.0.0.1:8088; port 0 takes a free one (<see cref="FeatureApiServer.Address"/> says which).</summary>
    [Required]
    public string Url { get; set; } = "http://127.0.0.1:8088";

    /// <summary>Entities of one request. 1 to 100,000; default 1,000.</summary>
    [Range(1, 100_000)]
    public int MaxEntities { get; set; } = 1_000;

    /// <summary>Bytes of one request's body. 1 KiB to 64 MiB; default 1 MiB.</summary>
    [Range(1 << 10, 64 << 20)]
    public int MaxBodyBytes { get; set; } = 1 << 20;

    /// <summary>Feature lists (requests without a service) that are kept compiled. 0 to 100,000; default 256: more are compiled anew each time.</summary>
    [Range(0, 100_000)]
    public int MaxFeatureLists { get; set; } = 256;
}
