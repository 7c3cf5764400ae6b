namespace StreamMl.Infrastructure.Models;

/// <summary>What was done to a model.</summary>
/// <param name="At">When.</param>
/// <param name="What">published, alias or deleted.</param>
/// <param name="Version">The version that it was done to; null where an alias was removed.</param>
/// <param name="Alias">The alias that moved; null for other changes.</param>
/// <param name="From">The version that the alias left; null where it was new.</param>
/// <param name="Who">As the caller gave it.</param>
/// <param name="Why">As the caller gave it.</param>
public sealed record ModelChange(DateTimeOffset At, string What, string? Version, string? Alias, string? From, string? Who, string? Why);
