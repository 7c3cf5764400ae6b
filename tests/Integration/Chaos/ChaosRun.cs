using System.Diagnostics;
using StreamMl.Infrastructure.Archive;
using StreamMl.Infrastructure.Embedded;
using StreamMl.Infrastructure.Kafka;
using StreamMl.Infrastructure.Registry;
using StreamMl.Integration.Tests.Chaos.Flow;
using StreamMl.Integration.Tests.Chaos.Servers;
using StreamMl.Integration.Tests.Chaos.Verdict;
using StreamMl.Shared.Definitions;
using StreamMl.Shared.Log;
using StreamMl.TestKit;

namespace StreamMl.Integration.Tests.Chaos;

/// <summary>
/// A whole installation of real processes under faults. Each fault strikes in the middle of its share of the events. It has recovered when every partition of every log is applied
/// to behind where it ended at the fault and, unless nothing was to come, the source as a whole to behind that. Only then comes the next one, unless two are to overlap. One use.
/// </summary>
internal sealed class ChaosRun : IAsyncDisposable
{
    private readonly ChaosOptions options;
    private readonly string directory;
    private readonly Random random;
    private readonly Dictionary<Strike, List<Recovery>> recoveries = [];
    private readonly Action<string> say;
    private readonly CancellationToken stop;
    private EmbeddedRegistry? registry;
    private ChaosBroker? broker;
    private ChaosStore? store;
    private ChaosFleet? fleet;
    private PurchaseStream? stream;
    private PurchaseFlow? flow;
    private Progress? progress;
    private Catalog? catalog;
    private long rolledBack;
    private int zombies;

    public ChaosRun(ChaosOptions options, Action<string> say, CancellationToken cancellationToken)
    {
        (this.options, this.say, stop) = (options, say, cancellationToken);
        random = new Random((int)options.Seed);
        directory = options.KeepIn ?? TestKit.Servers.TestEnvironment.TemporaryDirectory("chaos");
        Directory.CreateDirectory(directory);
    }

    public async Task<ChaosReport> RunAsync()
    {
        var clock = Stopwatch.StartNew();
        await StartAsync();
        var strikes = FaultSchedule.Of(options);
        for (var i = 0; i < strikes.Count; i++)
        {
            if (strikes.Skip(i).Take(3).Any(s => s.HasRollback))
                await store!.CopyAsync(await AppliedSumAsync());
            await AwaitMomentAsync(strikes[i], ShareEnd(i, strikes.Count), ShareEnd(i + 1, strikes.Count));
            await StrikeAsync(strikes[i], ShareEnd(i + 1, strikes.Count));
            say($"{clock.Elapsed.TotalSeconds,6:F1} s  {i + 1}/{strikes.Count} {strikes[i]}: recovered after {recoveries[strikes[i]][^1].RecoveredMs / 1000:F2} s, {flow!.Delivered:N0} events");
        }

        await flow!.FinishAsync();
        await AwaitRestAsync();
        await AwaitArchiveAsync();
        await fleet!.StopAsync(options.RecoveryLimitMs);
        return await JudgeAsync(clock.Elapsed.TotalMinutes);
    }

    public async ValueTask DisposeAsync()
    {
        if (flow is not null)
            await flow.DisposeAsync();
        if (fleet is not null)
            await fleet.DisposeAsync();
        if (progress is not null)
            await progress.DisposeAsync();
        if (store is not null)
            await store.DisposeAsync();
        if (broker is not null)
            await broker.DisposeAsync();
        if (registry is not null)
            await registry.DisposeAsync();
        if (options.KeepIn is null)
            Directory.Delete(directory, recursive: true);
    }

    private async Task StartAsync()
    {
        (var path, catalog) = ChaosCatalog.Write(directory, options.Partitions);
        registry = await EmbeddedRegistry.StartAsync(cancellationToken: stop);
        broker = await ChaosBroker.StartAsync(Path.Combine(directory, "kafka"), options.SessionTimeoutMs, options.Brokers);
        store = await ChaosStore.StartAsync(Path.Combine(directory, "copies"));
        using var schemas = new SchemaRegistryClient(registry.Url);
        var schemaId = await schemas.RegisterAsync($"{ChaosCatalog.Topic}-value", ChaosCatalog.Avro, stop);
        using (var admin = new TopicAdmin(broker.Endpoint))
            await admin.EnsureTopicAsync(ChaosCatalog.Topic, options.Partitions, stop);
        fleet = new ChaosFleet(directory, ["--kafka", broker.Bootstrap, "--redis", store.Endpoint, "--registry", registry.Url, "--dir", directory, "--catalog", path]);
        await fleet.StartAsync(options.Workers);
        progress = await Progress.OpenAsync(catalog, store, broker.Endpoint);
        stream = new PurchaseStream(options, schemaId);
        flow = new PurchaseFlow(options, stream, broker.Endpoint, stop);

        // A first event in every log: from here on all topics are there.
        flow.AllowUpTo(Math.Min(options.Events, 1_000));
        await UntilAsync(async () => await progress.AppliedAsync() is { } applied && applied.Values.All(a => a > 0));
    }

    private int ShareEnd(int faults, int count) => (int)((long)options.Events * faults / count);

    /// <summary>In the middle of the fault's share of the events, whose last quarter comes after the fault; for an idle one at the end of it, when all is applied.</summary>
    private async Task AwaitMomentAsync(Strike strike, int from, int to)
    {
        var share = to - from;
        flow!.AllowUpTo(strike.Has(Fault.IdleRollback) ? to : to - (share / 4));
        if (strike.Has(Fault.IdleRollback))
            await UntilAsync(async () => flow.Delivered >= to && await IsAtRestAsync());
        else
            await UntilAsync(() => Task.FromResult(flow.Delivered >= from + (share / 2)));
    }

    private async Task StrikeAsync(Strike strike, int shareEnd)
    {
        var zombie = strike.Has(Fault.Zombie) ? await ChooseOwnerAsync() : null;
        var claims = zombie is null ? null : new ClaimsBefore(zombie, fleet!.Workers);
        var applied = strike.HasRollback ? await AppliedSumAsync() : 0;
        var ends = progress!.Ends();
        flow!.AllowUpTo(shareEnd);
        var clock = Stopwatch.StartNew();
        var newcomer = await InjectAsync(strike, zombie, applied);
        var back = clock.Elapsed.TotalMilliseconds;
        await UntilAsync(async () => await HasRecoveredAsync(ends, strike.Has(Fault.IdleRollback)) && (newcomer is null || newcomer.Claims().Count > 0) && (!strike.Has(Fault.ArchiverKill) || IsArchived(ends)));
        if (zombie is not null)
            await WakeAsync(zombie, claims!);
        if (!recoveries.TryGetValue(strike, out var times))
            recoveries[strike] = times = [];
        times.Add(new Recovery(back, clock.Elapsed.TotalMilliseconds));
    }

    /// <summary>The second of two does not wait until the first's victim is even started again. They never strike the same server or process.</summary>
    /// <returns>A worker that joined, where one of the faults is that.</returns>
    private async Task<WorkerProcess?> InjectAsync(Strike strike, WorkerProcess? zombie, long applied)
    {
        var first = InjectAsync(strike.First, zombie, applied);
        if (strike.Second is not { } second)
            return await first;
        // What touches the processes is done at once, and only one at a time may do so.
        if (strike.First is not (Fault.BrokerRestart or Fault.StoreRestart))
            await first;
        await Task.Delay(TimeSpan.FromMilliseconds(random.Next(options.OverlapMaxMs)), TimeProvider.System, stop);
        var newcomer = await InjectAsync(second, zombie, applied);
        return await first ?? newcomer;
    }

    /// <returns>A worker that joined, where the fault is that.</returns>
    private async Task<WorkerProcess?> InjectAsync(Fault fault, WorkerProcess? zombie, long applied)
    {
        switch (fault)
        {
            case Fault.WorkerKill:
                await fleet!.KillAsync(ChooseVictim(zombie, OwnedBy));
                break;
            case Fault.Zombie:
                zombie!.Freeze();
                break;
            case Fault.ArchiverKill:
                await fleet!.KillArchiverAsync();
                break;
            case Fault.BusyRollback or Fault.IdleRollback:
                await fleet!.WhileAwayAsync(async () => rolledBack += applied - await store!.RollBackAsync());
                break;
            case Fault.StoreRestart:
                await fleet!.WhileAwayAsync(store!.RestartAsync);
                break;
            case Fault.BrokerRestart:
                await fleet!.WhileAwayAsync(broker!.RestartAsync);
                break;
            case Fault.Rebalance when fleet!.Workers.Count > options.Workers:
                await fleet.RemoveAsync(ChooseVictim(zombie, _ => []), options.RecoveryLimitMs);
                break;
            case Fault.Rebalance:
                return await fleet!.AddAsync();
        }

        return null;
    }

    private async Task<WorkerProcess> ChooseOwnerAsync()
    {
        await UntilAsync(() => Task.FromResult(fleet!.Workers.Any(w => OwnedBy(w).Any())));
        return ChooseVictim(except: null, OwnedBy);
    }

    /// <summary>Rather one that has something.</summary>
    private WorkerProcess ChooseVictim(WorkerProcess? except, Func<WorkerProcess, IEnumerable<string>> holdings)
    {
        List<WorkerProcess> others = [.. fleet!.Workers.Where(w => w != except)];
        List<WorkerProcess> owners = [.. others.Where(w => holdings(w).Any())];
        return owners.Count > 0 ? owners[random.Next(owners.Count)] : others[random.Next(others.Count)];
    }

    private static IEnumerable<string> OwnedBy(WorkerProcess worker) => worker.Claims().Where(c => c.Value.HasIt).Select(c => c.Key);

    private async Task<long> AppliedSumAsync()
    {
        IReadOnlyDictionary<PartitionId, long>? applied = null;
        await UntilAsync(async () => (applied = await progress!.AppliedAsync()) is not null);
        return applied!.Values.Sum();
    }

    /// <summary>A zombie is one whose partitions are all another's when it wakes.</summary>
    private async Task WakeAsync(WorkerProcess frozen, ClaimsBefore claims)
    {
        await UntilAsync(() => Task.FromResult(claims.AllAreOthersSince(fleet!.Workers)));
        zombies++;
        frozen.Continue();
    }

    private async Task<bool> HasRecoveredAsync(IReadOnlyDictionary<PartitionId, long> ends, bool isIdle)
    {
        if (await progress!.AppliedAsync() is not { } applied || !ends.All(e => applied[e.Key] >= e.Value))
            return false;
        return isIdle || SourceSum(p => applied[p]) > SourceSum(p => ends[p]);
    }

    private long SourceSum(Func<PartitionId, long> of) => progress!.Partitions.Where(p => p.Topic == ChaosCatalog.Topic).Sum(of);

    /// <summary>The source is applied to its end, and then every log that its records were copied to.</summary>
    private async Task<bool> IsAtRestAsync()
    {
        if (await progress!.AppliedAsync() is not { } first || progress.Partitions.Where(p => p.Topic == ChaosCatalog.Topic).Any(p => first[p] < progress.EndOf(p)))
            return false;
        var ends = progress.Ends();
        return await progress.AppliedAsync() is { } applied && ends.All(e => applied[e.Key] >= e.Value);
    }

    private Task AwaitRestAsync() => UntilAsync(IsAtRestAsync);

    private async Task AwaitArchiveAsync()
    {
        var applied = (await progress!.AppliedAsync())!;
        await UntilAsync(() => Task.FromResult(IsArchived(applied)));
    }

    private bool IsArchived(IReadOnlyDictionary<PartitionId, long> ends)
    {
        var layout = new ArchiveLayout(Path.Combine(directory, "archive"));
        return ends.All(e => e.Value == 0 || (layout.Files(e.Key) is [.., var last] && last.LastOffset + 1 >= e.Value));
    }

    private async Task UntilAsync(Func<Task<bool>> condition)
    {
        IReadOnlyDictionary<PartitionId, long>? last = null;
        await Eventually.Until(
            async () =>
            {
                stop.ThrowIfCancellationRequested();
                flow?.ThrowIfFailed();
                await fleet!.SuperviseAsync();
                last = await progress!.AppliedAsync();
                return await condition();
            },
            () => $"{flow?.Delivered} events delivered; applied: {(last is null ? "the store is away" : string.Join(", ", last.Select(a => $"{a.Key} {a.Value}")))}{Environment.NewLine}{string.Join(Environment.NewLine, fleet!.Surprises)}{Environment.NewLine}{fleet.Describe()}{Environment.NewLine}--- broker{Environment.NewLine}{broker!.LastLines()}",
            options.RecoveryLimitMs);
    }

    private async Task<ChaosReport> JudgeAsync(double minutes)
    {
        var verdict = new ChaosVerdict(options, catalog!, progress!.Store, directory);
        var parity = await verdict.CompareValuesAsync(stop);
        var ledgers = await verdict.LedgersAsync(stop);
        var logs = new ChaosLogs(options, broker!.Endpoint, progress.EndOf);
        var (log, letters) = (logs.Source(stream!), logs.DeadLetters());
        var source = ledgers.Where(l => l.Partition.Topic == ChaosCatalog.Topic).Select(l => l.Kept).Aggregate(LedgerCounts.Add);
        return new ChaosReport
        {
            Seed = options.Seed,
            Minutes = minutes,
            Events = options.Events,
            WorkerKills = Count(Fault.WorkerKill),
            ArchiverKills = Count(Fault.ArchiverKill),
            Zombies = zombies,
            BusyRollbacks = Count(Fault.BusyRollback),
            IdleRollbacks = Count(Fault.IdleRollback),
            RecordsRolledBack = rolledBack,
            StoreRestarts = Count(Fault.StoreRestart),
            BrokerRestarts = Count(Fault.BrokerRestart),
            Rebalances = Count(Fault.Rebalance),
            Overlaps = recoveries.Where(r => r.Key.IsPair).Sum(r => r.Value.Count),
            Refusals = fleet!.Refusals,
            EndedByThemselves = fleet.Surprises,
            Vectors = parity.Vectors,
            ValuesCompared = parity.ValuesCompared,
            ValuesDiffering = parity.ValuesDiffering,
            Differences = [.. parity.Differences.Select(d => d.ToString())],
            Ledger = ledgers.GroupBy(l => l.Partition.Topic).ToDictionary(g => g.Key, g => g.Select(l => l.Kept).Aggregate(LedgerCounts.Add).ToString(), StringComparer.Ordinal),
            LedgerFaults = [.. ledgers.Where(l => !l.Agrees).Select(l => l.ToString())],
            SourceRead = source.Read,
            SourceRecords = log.Records,
            SourceDifferent = log.Different,
            BadEvents = log.Bad,
            DeadLettersInLedger = source.DeadLettered,
            DeadLettersDifferent = letters.Different,
            DeadLettersSent = letters.Sent,
            ArchiveFaults = verdict.ArchiveFaults(progress.Partitions),
            Recovery = recoveries.OrderBy(r => r.Key.IsPair).ThenBy(r => r.Key.First).ThenBy(r => r.Key.Second).ToDictionary(r => r.Key.ToString(), r => RecoveryTimes.Of(r.Value), StringComparer.Ordinal),
        };
    }

    private int Count(Fault fault) => recoveries.Where(r => r.Key.Has(fault)).Sum(r => r.Value.Count);
}
