using System.ComponentModel.DataAnnotations;

namespace StreamMl.OnlineScorer.Catalogs;

/// <summary>Whether the catalogue may change while this process serves.</summary>
public sealed class CatalogWatchOptions
{
    /// <summary>The catalogue's file.</summary>
    [Required]
    public string Path { get; set; } = "";

    /// <summary>How often the file, and those that it names, are looked at, in milliseconds. What is found must be the same twice. 100 to 60,000; default 1,000.</summary>
    [Range(100, 60_000)]
    public int WatchMs { get; set; } = 1_000;
}
