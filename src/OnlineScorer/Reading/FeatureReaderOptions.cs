using System.ComponentModel.DataAnnotations;

namespace StreamMl.OnlineScorer.Reading;

/// <summary>How features are read from the store.</summary>
public sealed class FeatureReaderOptions
{
    /// <summary>Store keys of one read (states and positions). 100 to 1,000,000; default 50,000. A larger batch is refused.</summary>
    [Range(100, 1_000_000)]
    public int MaxKeysPerRead { get; set; } = 50_000;

    /// <summary>
    /// Times that a read is made again when a commit came between its first and its last key. A store whose MGET is atomic (Redis) never needs one;
    /// Garnet answers a long MGET key by key. 1 to 1,000; default 50.
    /// </summary>
    [Range(1, 1_000)]
    public int MaxTornReads { get; set; } = 50;
}
