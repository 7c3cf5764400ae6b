using StreamMl.Infrastructure.TrainingSets;

namespace StreamMl.Training.Leakage;

/// <summary>The logs of a training set, as its manifest tells. Pure.</summary>
internal static class SetLogs
{
    /// <summary>Origin of a log that was read from a plain file, whose arrival times are event times and a delay.</summary>
    public const string History = "history";

    private const string RepartitionInfix = ".by.";

    /// <summary>Sources that were read from plain files; logs that were made of them are not named again.</summary>
    public static IReadOnlyList<string> Histories(TrainingManifest manifest) =>
        [.. manifest.Logs.Where(l => l.Origin == History).Select(l => SourceOf(l.Log)).Distinct(StringComparer.Ordinal)];

    /// <summary>The source that the label comes from: the word between "from" and "on" of the manifest's label; null where there is none.</summary>
    public static string? LabelLog(TrainingManifest manifest)
    {
        if (manifest.Label is not { } label)
            return null;
        var from = label.LastIndexOf(" from ", StringComparison.Ordinal);
        var on = label.LastIndexOf(" on ", StringComparison.Ordinal);
        return from >= 0 && on > from + 6 ? label[(from + 6)..on] : null;
    }

    public static bool IsHistory(TrainingManifest manifest, string source) => manifest.Logs.Any(l => l.Origin == History && SourceOf(l.Log) == source);

    private static string SourceOf(string log) => log.IndexOf(RepartitionInfix, StringComparison.Ordinal) is > 0 and var at ? log[..at] : log;
}
