using System.Globalization;

namespace StreamMl.Integration.Tests.Chaos.Servers;

/// <summary>The processes of the product: stream workers of one group and an archiver. One that ends by itself is started again, and told of. Not thread-safe.</summary>
internal sealed class ChaosFleet(string directory, IReadOnlyList<string> servers) : IAsyncDisposable
{
    // Short, so that kills meet files that are being written.
    private static readonly string[] Settings = ["Archive__RollMaxAgeMs=3000", "DOTNET_gcServer=0", "DOTNET_TieredPGO=0"];

    private readonly List<WorkerProcess> workers = [];
    private readonly List<string> surprises = [];
    private WorkerProcess? archiver;
    private int started;

    public IReadOnlyList<WorkerProcess> Workers => workers;

    /// <summary>What was said last by processes that ended though nobody ended them.</summary>
    public IReadOnlyList<string> Surprises => surprises;

    public async Task StartAsync(int count)
    {
        archiver = await StartAsync("archive");
        for (var i = 0; i < count; i++)
            await AddAsync();
    }

    public async Task<WorkerProcess> AddAsync()
    {
        var worker = await StartAsync("features");
        workers.Add(worker);
        return worker;
    }

    /// <summary>The worker drains and leaves.</summary>
    public async Task RemoveAsync(WorkerProcess worker, int patienceMs)
    {
        workers.Remove(worker);
        await EndAsync(worker, patienceMs);
    }

    public async Task KillAsync(WorkerProcess worker)
    {
        workers.Remove(worker);
        await worker.KillAsync();
        await AddAsync();
    }

    public async Task KillArchiverAsync()
    {
        await archiver!.KillAsync();
        archiver = await StartAsync("archive");
    }

    /// <summary>Looks for processes that ended by themselves.</summary>
    public async Task SuperviseAsync()
    {
        foreach (var worker in workers.Where(w => w.HasEnded).ToList())
        {
            surprises.Add($"{worker.Name} ended by itself: {worker.LastLines()}");
            await KillAsync(worker);
        }

        if (archiver is { HasEnded: true })
        {
            surprises.Add($"{archiver.Name} ended by itself: {archiver.LastLines()}");
            await KillArchiverAsync();
        }
    }

    /// <summary>All drain and end.</summary>
    public async Task StopAsync(int patienceMs)
    {
        while (workers.Count > 0)
            await RemoveAsync(workers[^1], patienceMs);
        if (archiver is { } last)
            await EndAsync(last, patienceMs);
        archiver = null;
    }

    public string Describe() => string.Join(Environment.NewLine, workers.Append(archiver).OfType<WorkerProcess>().Select(w => $"--- {w.Name}{(w.HasEnded ? " (ended)" : "")}{Environment.NewLine}{w.LastLines()}"));

    public async ValueTask DisposeAsync()
    {
        foreach (var process in workers.Append(archiver).OfType<WorkerProcess>())
            await process.DisposeAsync();
    }

    private async Task EndAsync(WorkerProcess process, int patienceMs)
    {
        var code = await process.DrainAsync(patienceMs);
        if (code != 0)
            surprises.Add($"{process.Name} was asked to drain and ended with code {code}: {process.LastLines()}");
    }

    private Task<WorkerProcess> StartAsync(string command) =>
        WorkerProcess.StartAsync(string.Create(CultureInfo.InvariantCulture, $"{command}-{++started:D3}"), directory, Settings, [command, .. servers]);
}
