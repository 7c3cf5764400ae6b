using System.ComponentModel.DataAnnotations;

namespace StreamMl.Infrastructure.Models;

/// <summary>The model registry.</summary>
public sealed class ModelStoreOptions
{
    /// <summary>Largest difference between a golden row's score and what the loaded model gives.</summary>
    public const double GoldenTolerance = 1e-6;

    /// <summary>How often a watched alias is looked at. 10 ms to 1 hour; default 1 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00.010", "01:00:00")]
    public TimeSpan PollInterval { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>How long a writer waits for another. 0 to 10 minutes; default 10 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "00:10:00")]
    public TimeSpan LockWait { get; set; } = TimeSpan.FromSeconds(10);
}
