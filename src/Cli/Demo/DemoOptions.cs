namespace StreamMl.Cli.Demo;

/// <summary>What a demo does.</summary>
internal sealed class DemoOptions
{
    public required string Directory { get; init; }

    public bool Stay { get; init; }

    public bool Plain { get; init; }

    /// <summary>How far in arrival time the replay may be ahead of the slowest worker.</summary>
    public TimeSpan MaxAhead { get; init; }

    public DateTime From { get; init; }

    public DateTime Until { get; init; }

    public string? Kafka { get; init; }

    public string? Redis { get; init; }
}
