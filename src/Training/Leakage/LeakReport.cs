using StreamMl.Shared.Models;

namespace StreamMl.Training.Leakage;

/// <summary>Something that the training set or the model knows and will not know when it serves.</summary>
/// <param name="Check">Which check found it (<see cref="LeakChecks"/>).</param>
/// <param name="What">The fault, as a sentence.</param>
/// <param name="Column">The column, where it is one's.</param>
/// <param name="Rows">How many rows; null where it is no matter of rows.</param>
/// <param name="Examples">Some of them: row numbers in the set, or entities.</param>
/// <param name="Measure">What was measured.</param>
/// <param name="Evidence">Its value.</param>
/// <param name="Limit">From where on it is a fault.</param>
/// <param name="Remedy">What to do.</param>
public sealed record LeakFinding(string Check, string What, string? Column, long? Rows, IReadOnlyList<string> Examples, string Measure, double Evidence, double Limit, string Remedy);

/// <summary>How a check went.</summary>
/// <param name="Check">Which.</param>
/// <param name="Outcome">passed, found or skipped.</param>
/// <param name="Note">What it looked at, or why it could not look.</param>
public sealed record LeakOutcome(string Check, string Outcome, string Note);

/// <summary>What was looked for and what was found. Deterministic: the same set and split give the same report.</summary>
/// <param name="Data">The training set's folder or file.</param>
/// <param name="Rows">Rows by part: train, validation, test, left out.</param>
public sealed record LeakReport(string Data, IReadOnlyDictionary<string, long> Rows, IReadOnlyList<LeakOutcome> Checks, IReadOnlyList<LeakFinding> Findings)
{
    public bool IsClean => Findings.Count == 0;

    public byte[] ToJson() => ModelJson.Write(this);
}

/// <summary>The checks there are.</summary>
public static class LeakChecks
{
    public const string LabelTime = "label-time";
    public const string Availability = "availability";
    public const string EventTimes = "event-times";
    public const string Duplicates = "duplicates";
    public const string NearDuplicates = "near-duplicates";
    public const string StrongFeature = "strong-feature";
    public const string Missingness = "missingness";
    public const string OwnLabel = "own-label";
    public const string EarlyLabels = "early-labels";
    public const string FittedStatistics = "fitted-statistics";
    public const string EntityOverlap = "entity-overlap";

    public static IReadOnlyList<string> All { get; } =
        [LabelTime, Availability, EventTimes, Duplicates, NearDuplicates, StrongFeature, Missingness, OwnLabel, EarlyLabels, FittedStatistics, EntityOverlap];
}
