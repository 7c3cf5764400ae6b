namespace StreamMl.Shared.Definitions.Building;

/// <summary>A text of a definition and where it stands: what the builders take, so that a string, a duration or an aggregation will do.</summary>
/// <param name="Text">As a catalogue file would have it.</param>
/// <param name="At">Place of its first character; null: that of the definition around it.</param>
public readonly record struct Located(string Text, SourceLocation? At = null)
{
    public static implicit operator Located(string text) => new(text);

    public static implicit operator Located(TimeSpan duration) => new(Durations.Format(duration));

    public static implicit operator Located(FeatureSpec feature) => new(feature.ToString());

    public static Located FromString(string text) => text;

    public static Located FromTimeSpan(TimeSpan duration) => duration;

    public static Located FromFeatureSpec(FeatureSpec feature) => feature;

    public override string ToString() => Text;
}
