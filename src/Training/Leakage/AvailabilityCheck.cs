using StreamMl.Infrastructure.TrainingSets;
using StreamMl.Shared.Definitions;

namespace StreamMl.Training.Leakage;

/// <summary>A set whose features were read as if every event had been known the moment it happened. Pure.</summary>
internal static class AvailabilityCheck
{
    public static LeakOutcome Run(TrainingManifest? manifest, List<LeakFinding> findings)
    {
        if (manifest is null)
            return new LeakOutcome(LeakChecks.Availability, "skipped", "there is no manifest that says how the features were read");
        var before = findings.Count;
        var delay = Durations.TryParse(manifest.Delay, out var parsed) ? parsed : TimeSpan.Zero;
        if (manifest.Mode == "event-time" && delay <= TimeSpan.Zero)
        {
            findings.Add(new LeakFinding(
                LeakChecks.Availability, "The features were read in event-time mode without a delay: each value holds events that had happened but could not be known yet", null, manifest.Rows, [],
                "delay from event to arrival, seconds", 0, 0, "Backfill in arrival-time mode, or give the delay that the events really have (--delay)"));
        }

        return LeakChecker.Outcome(LeakChecks.Availability, findings, before, $"features of '{manifest.Service}' read in {manifest.Mode} mode");
    }
}
