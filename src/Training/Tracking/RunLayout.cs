using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace StreamMl.Training.Tracking;

/// <summary>Where runs stand, and how they and their experiments are called: <c>runs/EXPERIMENT/RUN-ID/run.json</c>. Pure.</summary>
/// <param name="Root">The folder of runs: <c>runs</c> under an installation's directory.</param>
internal sealed record RunLayout(string Root)
{
    public const string Artifacts = "artifacts";
    public const string Metrics = "metrics.jsonl";
    private const int MaxName = 200;

    public string Experiment(string name) => Path.Combine(Root, FolderOf(name));

    public string Run(string experiment, string id) => Path.Combine(Experiment(experiment), id);

    /// <summary>Experiments may have any name, folders may not.</summary>
    public static string FolderOf(string name) => name.Length is > 0 and <= MaxName && name[0] != '.'
        ? Uri.EscapeDataString(name)
        : throw new TrackingException($"'{name}' cannot name an experiment: 1 to {MaxName} characters, the first not a dot");

    /// <summary>The experiment that MLflow clients write to when they name none; its id is 0 everywhere.</summary>
    public const string DefaultExperiment = "Default";

    /// <summary>Up to 18 decimal digits, as MLflow's own are.</summary>
    public static string ExperimentId(string name) => name == DefaultExperiment ? "0" :
        (BitConverter.ToUInt64(SHA256.HashData(Encoding.UTF8.GetBytes(name))) % 1_000_000_000_000_000_000).ToString(CultureInfo.InvariantCulture);

    /// <summary>Start time and six digits of what it is: sorts by time, and two runs of one second differ.</summary>
    public static string RunId(DateTimeOffset at, string content, int attempt)
    {
        var hash = SHA256.HashData(Encoding.UTF8.GetBytes($"{at.UtcTicks}\n{attempt}\n{content}"));
        return at.UtcDateTime.ToString("yyyyMMdd-HHmmss-", CultureInfo.InvariantCulture) + Convert.ToHexStringLower(hash)[..6];
    }

    public static bool IsRunId(string text) => text.Length is > 0 and <= 100 && text[0] != '.' && text.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_');
}
