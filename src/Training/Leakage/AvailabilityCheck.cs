using StreamMl.Infrastructure.TrainingSets;
using StreamMl.Shared.Definitions;

namespace StreamMl.Training.Leakage;

/// <summary>A set whose features were read as if every event, or every event of one log, had been known the moment it happened. Pure.</summary>
internal static class AvailabilityCheck
{
    public static LeakOutcome Run(TrainingManifest? manifest, List<LeakFinding> findings)
    {
        if (manifest is null)
            return new LeakOutcome(LeakChecks.Availability, "skipped", "there is no manifest that says how the features were read");
        var before = findings.Count;
        var delay = Durations.TryParse(manifest.Delay, out var parsed) ? parsed : TimeSpan.Zero;
        if (delay <= TimeSpan.Zero)
        {
            if (manifest.Mode == "event-time")
                EventTime(manifest, findings);
            else
                Histories(manifest, findings);
        }

        var histories = SetLogs.Histories(manifest);
        return LeakChecker.Outcome(LeakChecks.Availability, findings, before,
            $"features of '{manifest.Service}' read in {manifest.Mode} mode{(histories.Count == 0 ? "" : $"; {string.Join(", ", histories)} from plain files, known {manifest.Delay} after the event")}");
    }

    private static void EventTime(TrainingManifest manifest, List<LeakFinding> findings) => findings.Add(new LeakFinding(
        LeakChecks.Availability, "The features were read in event-time mode without a delay: each value holds events that had happened but could not be known yet", null, manifest.Rows, [],
        "delay from event to arrival, seconds", 0, 0, "Backfill in arrival-time mode, or give the delay that the events really have (--delay)"));

    /// <summary>
    /// A plain file has no arrival times, so its events count from when they happened. Beside logs whose arrival was recorded that is a promise that serving does not keep, and of the
    /// log that the label comes from it is the outcome before anyone could know it.
    /// </summary>
    private static void Histories(TrainingManifest manifest, List<LeakFinding> findings)
    {
        var (histories, labels) = (SetLogs.Histories(manifest), SetLogs.LabelLog(manifest));
        var isMixed = manifest.Logs.Any(l => l.Origin != SetLogs.History);
        foreach (var log in histories.Where(l => isMixed || l == labels))
        {
            var why = log == labels
                ? "the label comes from it, so windows over it hold outcomes from a time when nobody knew them, if its event time is not the outcome's"
                : "the other logs' arrival was recorded, so this one is ahead of them as it will not be when serving";
            findings.Add(new LeakFinding(
                LeakChecks.Availability, $"'{log}' was read from a plain file without a delay, each event known the moment that it names as its own: {why}", null, manifest.Rows, [],
                "delay from event to arrival, seconds", 0, 0,
                $"Ingest '{log}' with the arrival times that it had, so that they are archived, and backfill without --history; or give --delay, the time from its event time to when the event is known, however short"));
        }
    }
}
