using System.Globalization;
using StreamMl.Integration.Tests.Chaos.Verdict;

namespace StreamMl.Integration.Tests.Chaos;

/// <summary>What the script asks for, by the environment; nothing: the short form.</summary>
internal static class ChaosSettings
{
    private const string Prefix = "STREAMML_CHAOS";

    public static ChaosOptions OfEnvironment()
    {
        var options = Named("") == "long" ? ChaosOptions.Long : new ChaosOptions();
        return options with
        {
            KeepIn = Named("_DIR"),
            Seed = Named("_SEED") is { } seed ? ulong.Parse(seed, CultureInfo.InvariantCulture) : options.Seed,
            Brokers = Named("_BROKERS") is { } brokers ? int.Parse(brokers, CultureInfo.InvariantCulture) : options.Brokers,
            Events = Named("_EVENTS") is { } events ? int.Parse(events, CultureInfo.InvariantCulture) : options.Events,
        };
    }

    /// <summary>To the test's output, and where a directory is named to its <c>progress.txt</c>, while it runs.</summary>
    public static void Say(ITestOutputHelper output, string line)
    {
        output.WriteLine(line);
        if (Named("_DIR") is { } directory)
            File.AppendAllText(Path.Combine(directory, "progress.txt"), line + Environment.NewLine);
    }

    public static void Keep(ChaosReport report)
    {
        if (Named("_DIR") is not { } directory)
            return;
        File.WriteAllText(Path.Combine(directory, "report.json"), report.ToJson());
        File.WriteAllText(Path.Combine(directory, "report.txt"), report.ToString());
    }

    private static string? Named(string name) => Environment.GetEnvironmentVariable(Prefix + name) is { Length: > 0 } value ? value : null;
}
