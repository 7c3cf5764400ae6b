using System.Globalization;

namespace StreamMl.Integration.Tests.Chaos.Servers;

/// <summary>The processes of the product: stream workers of one group and an archiver. One that ends by itself is started again, as a supervisor does, and told of. Not thread-safe.</summary>
internal sealed class ChaosFleet(string directory, IReadOnlyList<string> servers) : IAsyncDisposable
{
    // Short, so that kills meet files that are being written.
    private static readonly string[] Settings = ["Archive__RollMaxAgeMs=3000", "DOTNET_gcServer=0", "DOTNET_TieredPGO=0"];

    /// <summary>A server that a worker needs does not answer when it starts.</summary>
    private const int Refused = 2;

    private readonly List<WorkerProcess> workers = [];
    private readonly List<string> surprises = [];
    private readonly Dictionary<WorkerProcess, int> restartsBefore = [];
    private WorkerProcess? archiver;
    private int started;
    private int restarts;
    private int away;

    public IReadOnlyList<WorkerProcess> Workers => workers;

    /// <summary>What was said last by processes that ended though nobody ended them.</summary>
    public IReadOnlyList<string> Surprises => surprises;

    /// <summary>Starts that were refused because a server was away; each was tried again.</summary>
    public int Refusals { get; private set; }

    /// <summary>While it runs, a server is away: a worker that is started may refuse to run, one that runs may not end.</summary>
    public async Task WhileAwayAsync(Func<Task> restart)
    {
        (away, restarts) = (away + 1, restarts + 1);
        await restart();
        away--;
    }

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
            workers.Remove(worker);
            await NoteEndAsync(worker);
            await AddAsync();
        }

        if (archiver is { HasEnded: true })
        {
            await NoteEndAsync(archiver);
            archiver = await StartAsync("archive");
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

    private async Task NoteEndAsync(WorkerProcess ended)
    {
        var mayRefuse = !ended.HasBegun && (away > 0 || restarts > restartsBefore[ended]);
        if (await ended.KillAsync() == Refused && mayRefuse)
            Refusals++;
        else
            surprises.Add($"{ended.Name} ended by itself: {ended.LastLines()}");
    }

    private async Task<WorkerProcess> StartAsync(string command)
    {
        var before = away > 0 ? restarts - 1 : restarts;
        var process = await WorkerProcess.StartAsync(string.Create(CultureInfo.InvariantCulture, $"{command}-{++started:D3}"), directory, Settings, [command, .. servers]);
        restartsBefore[process] = before;
        return process;
    }
}
