using System.Globalization;

namespace StreamMl.Infrastructure.Redis;

/// <summary>What a server says of itself: INFO, some of CONFIG, and CLUSTER INFO, by their own names. What it does not say is null. Immutable.</summary>
internal sealed class ServerFacts
{
    private readonly Dictionary<string, string> facts = new(StringComparer.Ordinal);

    /// <param name="info">Answers of INFO and CLUSTER INFO: lines of <c>name:value</c>.</param>
    /// <param name="configuration">Answers of CONFIG GET; empty where the user may not ask.</param>
    public ServerFacts(IEnumerable<string> info, IEnumerable<KeyValuePair<string, string>> configuration)
    {
        foreach (var line in info.SelectMany(text => text.Split('\n')))
        {
            if (line.IndexOf(':') is var colon and > 0)
                facts[line[..colon]] = line[(colon + 1)..].Trim();
        }

        foreach (var (name, value) in configuration)
            facts[$"config.{name}"] = value;
    }

    public string? this[string name] => facts.GetValueOrDefault(name);

    public string? Configured(string name) => facts.GetValueOrDefault($"config.{name}");

    public long Number(string name) => long.TryParse(this[name], NumberStyles.Integer, CultureInfo.InvariantCulture, out var value) ? value : 0;

    // Garnet's INFO names itself in several places, and says that its version is one of Redis'.
    public bool IsGarnet => facts.Any(f => f.Key.Contains("garnet", StringComparison.OrdinalIgnoreCase) || f.Value.Contains("garnet", StringComparison.OrdinalIgnoreCase));

    public bool IsReplica => this["role"] is "slave";

    public bool IsInCluster => this["cluster_enabled"] is "1";
}
