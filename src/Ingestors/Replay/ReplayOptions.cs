using System.ComponentModel.DataAnnotations;

namespace StreamMl.Ingestors.Replay;

/// <summary>What is replayed, and how fast.</summary>
public sealed class ReplayOptions
{
    /// <summary>The mapping file (docs/mapping.md).</summary>
    [Required]
    public string MappingPath { get; set; } = "mapping.yaml";

    /// <summary>How many times faster than it happened, above 0 to 1e9; null (default): as fast as it goes.</summary>
    [Range(1e-3, 1e9)]
    public double? Speed { get; set; }

    /// <summary>
    /// How far, in arrival time, a record may be ahead of the slowest worker that has still something to do. Default 15 minutes, at least 0; null: no worker is waited for.
    /// </summary>
    public TimeSpan? MaxAhead { get; set; } = TimeSpan.FromMinutes(15);

    /// <summary>Services whose trigger workers are waited for; null (default): all that have a trigger; empty: none.</summary>
    public IReadOnlyList<string>? GateServices { get; set; }

    /// <summary>Only sources of these names; null (default): all of the mapping.</summary>
    public IReadOnlyList<string>? Sources { get; set; }

    /// <summary>Records that arrived before are passed over; microseconds since the epoch; null: none is.</summary>
    public long? FromArrivalUs { get; set; }

    /// <summary>Records that arrived at or after this are left; microseconds since the epoch; null: none is.</summary>
    public long? UntilArrivalUs { get; set; }

    /// <summary>Where large unsorted sources are sorted; null (default): the system's temporary folder.</summary>
    public string? TemporaryFolder { get; set; }

    /// <summary>The host stops when the replay has ended. Default false.</summary>
    public bool StopWhenDone { get; set; }
}
