using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace StreamMl.Integration.Tests.Chaos.Verdict;

/// <summary>One fault.</summary>
/// <param name="BackMs">From the fault until the server or process that it struck was started again.</param>
/// <param name="RecoveredMs">From the fault until all that was in the logs at the fault, and more, was applied.</param>
internal readonly record struct Recovery(double BackMs, double RecoveredMs);

/// <summary>Times to recover after one kind of fault, milliseconds.</summary>
internal sealed record RecoveryTimes(int Count, double MedianMs, double WorstMs, double MedianBackMs)
{
    public static RecoveryTimes Of(IReadOnlyList<Recovery> times)
    {
        var sorted = times.Select(t => t.RecoveredMs).Order().ToList();
        return new(sorted.Count, sorted[sorted.Count / 2], sorted[^1], times.Select(t => t.BackMs).Order().ElementAt(sorted.Count / 2));
    }
}

/// <summary>The figures of a run.</summary>
internal sealed record ChaosReport
{
    public required ulong Seed { get; init; }

    public required double Minutes { get; init; }

    public required long Events { get; init; }

    public required int WorkerKills { get; init; }

    public required int ArchiverKills { get; init; }

    /// <summary>Frozen until others had their partitions, then woken.</summary>
    public required int Zombies { get; init; }

    public required int BusyRollbacks { get; init; }

    public required int IdleRollbacks { get; init; }

    /// <summary>Records that the rollbacks took back, all logs.</summary>
    public required long RecordsRolledBack { get; init; }

    public required int StoreRestarts { get; init; }

    public required int BrokerRestarts { get; init; }

    public required int Rebalances { get; init; }

    /// <summary>Pairs of the faults above that overlapped; their times to recover are apart.</summary>
    public required int Overlaps { get; init; }

    /// <summary>Starts that workers refused while a server was away; each was tried again.</summary>
    public required int Refusals { get; init; }

    /// <summary>Workers that ended though nobody ended them; each was started again.</summary>
    public required IReadOnlyList<string> EndedByThemselves { get; init; }

    public required long Vectors { get; init; }

    public required long ValuesCompared { get; init; }

    public required long ValuesDiffering { get; init; }

    public required IReadOnlyList<string> Differences { get; init; }

    /// <summary>By log, all partitions.</summary>
    public required IReadOnlyDictionary<string, string> Ledger { get; init; }

    public required IReadOnlyList<string> LedgerFaults { get; init; }

    public required long SourceRead { get; init; }

    /// <summary>Records of the source log, and how many different events they are.</summary>
    public required long SourceRecords { get; init; }

    public required long SourceDifferent { get; init; }

    /// <summary>Records of the source log that belong into the dead-letter topic.</summary>
    public required long BadEvents { get; init; }

    public required long DeadLettersInLedger { get; init; }

    public required long DeadLettersDifferent { get; init; }

    public required long DeadLettersSent { get; init; }

    public required IReadOnlyList<string> ArchiveFaults { get; init; }

    public required IReadOnlyDictionary<string, RecoveryTimes> Recovery { get; init; }

    /// <summary>What is wrong; empty where the promise held.</summary>
    [JsonIgnore]
    public IReadOnlyList<string> Wrong =>
    [
        .. Differences, .. LedgerFaults, .. ArchiveFaults, .. EndedByThemselves,
        .. If(ValuesCompared == 0, "no value was compared"),
        .. If(ValuesDiffering > 0, $"{ValuesDiffering} of {ValuesCompared} values differ"),
        .. If(SourceDifferent != Events, $"{Events} events were sent and {SourceDifferent} of them are in the log"),
        .. If(SourceRead != SourceRecords, $"{SourceRecords} records are in the log and {SourceRead} were read"),
        .. If(DeadLettersInLedger != BadEvents, $"{BadEvents} events were bad and {DeadLettersInLedger} are dead-lettered in the ledger"),
        .. If(DeadLettersDifferent != BadEvents, $"{BadEvents} events were bad and {DeadLettersDifferent} are in the dead-letter topic"),
    ];

    public string ToJson() => JsonSerializer.Serialize(this, JsonOptions);

    public override string ToString()
    {
        var text = new StringBuilder();
        Line("seed", $"{Seed}, {Minutes:F1} min");
        Line("events", $"{Events:N0} sent, {SourceRecords - SourceDifferent:N0} of them twice in the log, {SourceRead:N0} read");
        Line("kill -9", $"{WorkerKills} of workers, {ArchiverKills} of the archiver");
        Line("zombies", $"{Zombies}");
        Line("rollbacks", $"{BusyRollbacks} busy, {IdleRollbacks} idle, {RecordsRolledBack:N0} records back; {StoreRestarts} store restarts");
        Line("broker restarts", $"{BrokerRestarts}");
        Line("rebalances", $"{Rebalances} by joining and leaving");
        Line("overlapping", $"{Overlaps} pairs of the above; {Refusals} starts refused while a server was away");
        Line("values", $"{ValuesDiffering:N0} of {ValuesCompared:N0} differ ({Vectors:N0} vectors)");
        Line("dead letters", $"{BadEvents:N0} bad events, {DeadLettersInLedger:N0} in the ledger, {DeadLettersDifferent:N0} in the topic ({DeadLettersSent:N0} sent)");
        foreach (var (log, counts) in Ledger)
            Line("ledger", $"{log}: {counts}");
        foreach (var (fault, times) in Recovery)
            Line("recovered after", string.Create(CultureInfo.InvariantCulture, $"{fault,-26} {times.Count,3} times, median {times.MedianMs / 1000:F2} s, worst {times.WorstMs / 1000:F2} s (what was struck was started again after {times.MedianBackMs / 1000:F2} s)"));
        foreach (var wrong in Wrong)
            Line("WRONG", wrong);
        return text.ToString();

        void Line(string name, string value) => text.Append(CultureInfo.InvariantCulture, $"{name,-16} {value}").AppendLine();
    }

    private static JsonSerializerOptions JsonOptions { get; } = new() { WriteIndented = true };

    private static string[] If(bool wrong, string what) => wrong ? [what] : [];
}
