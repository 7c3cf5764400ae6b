namespace StreamMl.Shared.Definitions.Building;

/// <summary>Durations and windows of definitions, with their findings.</summary>
internal static class DurationText
{
    public static bool TryRead(Located text, SourceLocation? around, string what, Findings findings, out TimeSpan duration)
    {
        if (Durations.TryParse(text.Text, out duration))
            return true;
        findings.Error(text.At ?? around, $"{what} is `{text.Text}`, which is no duration", "Write a whole number and ms, s, m, h or d, such as 30s, 15m, 24h, 7d");
        return false;
    }

    public static WindowDefinition? TryReadWindow(Located text, SourceLocation? around, Findings findings)
    {
        if (text.Text.Trim() == "lifetime")
            return new LifetimeWindow();
        if (Durations.TryParse(text.Text, out var length))
            return new TrailingWindow(length);
        findings.Error(text.At ?? around, $"`{text.Text}` is no window", "Write a duration from 5s to 365d such as 30m, 1h, 7d, or lifetime");
        return null;
    }
}
