using Microsoft.Extensions.Time.Testing;
using StreamMl.Training.Tracking;

namespace StreamMl.Training.Tests.Tracking;

/// <summary>A folder of runs for one test.</summary>
internal sealed class RunLab : IDisposable
{
    public string Directory { get; } = System.IO.Directory.CreateTempSubdirectory("streamml-").FullName;

    public FakeTimeProvider Time { get; } = new(new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero));

    public RunStore Store => RunStore.In(Directory, Time);

    /// <summary>A run that ended, a second after the one before.</summary>
    public async Task<RunWriter> RunAsync(string name, double auc, int trees, string experiment = "flights")
    {
        Time.Advance(TimeSpan.FromSeconds(1));
        var run = Store.Start(experiment, r => r with { Name = name, Seed = 7, Config = "trees: " + trees });
        await run.LogParamsAsync(new Dictionary<string, string> { ["trees"] = trees.ToString() });
        await run.SetTagsAsync(new Dictionary<string, string> { ["team"] = trees > 50 ? "ops" : "research" });
        await run.LogMetricAsync("auc", auc / 2, 1);
        await run.LogMetricAsync("auc", auc, 2);
        await run.EndAsync();
        return run;
    }

    public void Dispose() => System.IO.Directory.Delete(Directory, recursive: true);
}
