namespace StreamMl.Cli.Demo;

/// <summary>What a demo does.</summary>
internal sealed class DemoOptions
{
    public required string Directory { get; init; }

    public bool Stay { get; init; }

    public bool Plain { get; init; }

    /// <summary>How far in arrival time the replay may be ahead of the slowest worker while the champion serves; before that nobody reads at a moment, and more is allowed.</summary>
    public TimeSpan MaxAhead { get; init; }

    public DateTime From { get; init; }

    /// <summary>What arrives before is history, of which the champion is made; from here on it serves.</summary>
    public DateTime LiveFrom { get; init; }

    public DateTime Until { get; init; }

    public string? Kafka { get; init; }

    public string? Redis { get; init; }
}
