using System.Globalization;

namespace StreamMl.Benchmarks.Score;

/// <summary>CPU time of this process's threads by name, as Linux counts it (10 ms at a time): which part of a loop takes it.</summary>
internal sealed class ThreadCosts
{
    private const double UsPerTick = 10_000;
    private readonly Dictionary<string, double> before = Read();

    /// <summary>By name, what was used since this was made, in microseconds per event, most first.</summary>
    public string Describe(int events) => string.Join(", ", Read()
        .Select(n => (Name: n.Key, Us: (n.Value - before.GetValueOrDefault(n.Key)) / events))
        .GroupBy(n => n.Name.Split('/')[0], n => n.Us, StringComparer.Ordinal)
        .Select(g => (Name: g.Key, Us: g.Sum())).Where(g => g.Us >= 0.05).OrderByDescending(g => g.Us)
        .Select(g => string.Create(CultureInfo.InvariantCulture, $"{g.Name} {g.Us:F2}")));

    private static Dictionary<string, double> Read()
    {
        var used = new Dictionary<string, double>(StringComparer.Ordinal);
        foreach (var task in Directory.EnumerateDirectories("/proc/self/task"))
        {
            try
            {
                var stat = File.ReadAllText(Path.Combine(task, "stat"));
                var name = stat[(stat.IndexOf('(', StringComparison.Ordinal) + 1)..stat.LastIndexOf(')')];
                var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
                used[$"{name}/{Path.GetFileName(task)}"] = (long.Parse(fields[11], CultureInfo.InvariantCulture) + long.Parse(fields[12], CultureInfo.InvariantCulture)) * UsPerTick;
            }
            catch (IOException)
            {
                // it has ended meanwhile
            }
        }

        return used;
    }
}
