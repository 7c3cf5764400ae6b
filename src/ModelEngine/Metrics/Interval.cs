namespace StreamMl.ModelEngine.Metrics;

/// <summary>An estimate and its confidence interval.</summary>
/// <param name="Level">Share of repetitions in which such an interval holds the truth: 0.95.</param>
public sealed record Interval(double Value, double Low, double High, double Level);
