namespace StreamMl.Infrastructure.Registry;

/// <summary>A schema as a version of a subject. Ids are global: the same schema under two subjects has one.</summary>
public sealed record RegisteredSchema(string Subject, int Version, int Id, string Schema);

/// <summary>Which of its predecessors a new version is checked against, and in which direction.</summary>
public enum CompatibilityLevel
{
    None,
    Backward,
    BackwardTransitive,
    Forward,
    ForwardTransitive,
    Full,
    FullTransitive,
}

/// <summary>The level's names on the wire.</summary>
public static class CompatibilityLevels
{
    public static string ToWire(this CompatibilityLevel level) => level switch
    {
        CompatibilityLevel.None => "NONE",
        CompatibilityLevel.Backward => "BACKWARD",
        CompatibilityLevel.BackwardTransitive => "BACKWARD_TRANSITIVE",
        CompatibilityLevel.Forward => "FORWARD",
        CompatibilityLevel.ForwardTransitive => "FORWARD_TRANSITIVE",
        CompatibilityLevel.Full => "FULL",
        CompatibilityLevel.FullTransitive => "FULL_TRANSITIVE",
        _ => throw new ArgumentOutOfRangeException(nameof(level), level, "not a compatibility level"),
    };

    /// <exception cref="RegistryException">42203: not a level.</exception>
    public static CompatibilityLevel Parse(string? wire)
    {
        foreach (var level in Enum.GetValues<CompatibilityLevel>())
        {
            if (string.Equals(level.ToWire(), wire, StringComparison.OrdinalIgnoreCase)) return level;
        }

        throw new RegistryException(
            42203, $"Invalid compatibility level '{wire}'. Valid values are none, backward, forward, full, backward_transitive, forward_transitive, and full_transitive");
    }
}
