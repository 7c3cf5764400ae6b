using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using StreamMl.TestKit.Servers;

namespace StreamMl.Integration.Tests.Chaos.Servers;

/// <summary>The product's own program as a process that can be killed, frozen and drained, and that does not outlive this one. Not thread-safe.</summary>
internal sealed partial class WorkerProcess : IAsyncDisposable
{
    private const string Start = "log=$1; shift; \"$@\" >>\"$log\" 2>&1 </dev/null & pid=$!; echo $pid";
    private const string Stop = "kill -9 $pid 2>/dev/null; wait $pid; echo $? >\"$log.code\"";
    private const int Tail = 12;

    private readonly ChildServer child;
    private readonly string log;
    private readonly string pid;

    private WorkerProcess(string name, ChildServer child, string log) => (Name, this.child, this.log, pid) = (name, child, log, child.FirstLine.Trim());

    public string Name { get; }

    /// <summary>It ended, by itself or by a signal.</summary>
    public bool HasEnded
    {
        get
        {
            try
            {
                var stat = File.ReadAllText($"/proc/{pid}/stat");
                return stat[stat.LastIndexOf(')') + 2] is 'Z' or 'X';
            }
            catch (IOException)
            {
                return true;
            }
        }
    }

    /// <summary>It got as far as having partitions.</summary>
    public bool HasBegun => File.ReadLines(log).Any(l => l.Contains(": claimed", StringComparison.Ordinal) || l.Contains("Archiving ", StringComparison.Ordinal));

    /// <summary>The partitions (as topic/partition) that it says it has claimed, each with how often, and whether it has it still as far as it knows.</summary>
    public IReadOnlyDictionary<string, (int Times, bool HasIt)> Claims()
    {
        var claims = new Dictionary<string, (int Times, bool HasIt)>(StringComparer.Ordinal);
        foreach (var line in File.ReadLines(log).Select(l => OwnershipLine().Match(l)).Where(m => m.Success))
        {
            var isClaim = line.Groups["what"].ValueSpan is "claimed";
            var partition = line.Groups["partition"].Value;
            claims[partition] = (claims.GetValueOrDefault(partition).Times + (isClaim ? 1 : 0), isClaim);
        }

        return claims;
    }

    /// <param name="name">Of its log.</param>
    /// <param name="directory">Where the log is.</param>
    /// <param name="arguments">Of <c>streamml</c>.</param>
    /// <param name="settings">Environment variables, as NAME=VALUE.</param>
    public static async Task<WorkerProcess> StartAsync(string name, string directory, IEnumerable<string> settings, IEnumerable<string> arguments)
    {
        var file = Path.Combine(directory, $"{name}.log");
        var program = Path.Combine(AppContext.BaseDirectory, "streamml");
        return new WorkerProcess(name, await ChildServer.StartAsync(Start, Stop, [file, "env", .. settings, program, .. arguments]), file);
    }

    /// <summary>Dead at once; nothing is drained. The exit code: its own, where it had ended before.</summary>
    public async Task<int> KillAsync()
    {
        Signal("KILL");
        return await CodeAsync();
    }

    public void Freeze() => Signal("STOP");

    public void Continue() => Signal("CONT");

    /// <summary>As an orchestrator ends it: it drains. The exit code.</summary>
    public async Task<int> DrainAsync(int patienceMs)
    {
        Signal("TERM");
        await TestKit.Eventually.Until(() => HasEnded, () => $"{Name} does not end: {LastLines()}", patienceMs);
        return await CodeAsync();
    }

    public string LastLines() => File.Exists(log) ? string.Join(Environment.NewLine, File.ReadLines(log).TakeLast(Tail)) : "(no log)";

    public ValueTask DisposeAsync() => child.DisposeAsync();

    [GeneratedRegex(@"(?<partition>\S+/\d+): (?<what>claimed|drained|dropped|not drained)", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1_000)]
    private static partial Regex OwnershipLine();

    private async Task<int> CodeAsync()
    {
        await child.DisposeAsync();
        return int.Parse(await File.ReadAllTextAsync($"{log}.code"), CultureInfo.InvariantCulture);
    }

    private void Signal(string signal)
    {
        using var kill = Process.Start(new ProcessStartInfo("kill", [$"-{signal}", pid]) { UseShellExecute = false, RedirectStandardError = true })!;
        kill.WaitForExit();
    }
}
