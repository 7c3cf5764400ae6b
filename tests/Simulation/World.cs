using StreamMl.Shared.Log;
using StreamMl.Simulation.Tests.Cluster;
using StreamMl.Simulation.Tests.Truth;
using StreamMl.StreamFeatures;
using StreamMl.StreamFeatures.Logs;
using StreamMl.StreamFeatures.Records;

namespace StreamMl.Simulation.Tests;

/// <summary>
/// A whole installation on one thread: logs, store, network, clocks, workers. One seed decides what is fed in, what goes wrong, and step by step what
/// runs next. Runs once.
/// </summary>
internal sealed class World
{
    private const int StepsMax = 200_000;
    private const int RenewOneIn = 8;
    private const int NeverMs = 100_000_000;

    private readonly Producer producer;
    private readonly int addedAt;
    private readonly int pollWeight;
    private readonly HashSet<PartitionId> losses = [];
    private readonly StreamFeaturesOptions optionsWithoutViews;

    public World(int seed, Plant plant = Plant.None)
    {
        (Seed, Plant) = (seed, plant);
        Random = new Random(seed);
        Faults = new Faults(Random);
        Partitions = Random.Next(1, 4);
        (FirstCatalog, Catalog) = SimCatalog.Choose(Random);
        CatalogNow = FirstCatalog;
        HasTransactions = Random.Next(2) == 0;
        // A thread that polls seldom meets a group that has changed its mind in the meantime.
        pollWeight = Random.Next(4) == 0 ? 1 : 10;
        ResidentMaxBytes = Random.Next(2) == 0 ? 1 : long.MaxValue;
        var (maxRecords, maxStates) = (Random.Next(3) switch { 0 => 1, 1 => 7, _ => 500_000 }, Random.Next(2) == 0 ? 3 : 30_000);
        Options = With(maxRecords, maxStates, plant == Plant.NoIdleCheck ? NeverMs : 1_000);
        optionsWithoutViews = With(maxRecords, maxStates, plant is Plant.NoIdleCheck or Plant.NoIdleCheckOfLog ? NeverMs : 1_000);
        Network = new Network(this);
        Log = new SimLog(this);
        Coordinator = new SimCoordinator(this);
        Store = new SimStore(this);
        Audit = new Audit(this);
        Group = new Group(this);
        producer = new Producer(this, Random.Next(20, 200));
        addedAt = Random.Next(producer.Left);
    }

    public int Seed { get; }

    public Plant Plant { get; }

    public Random Random { get; }

    public Faults Faults { get; }

    public Trace Trace { get; } = new();

    /// <summary>Of each topic.</summary>
    public int Partitions { get; }

    /// <summary>Whether nodes send in transactions.</summary>
    public bool HasTransactions { get; }

    public SimCoordinator Coordinator { get; }

    public StreamFeaturesOptions Options { get; }

    public long ResidentMaxBytes { get; }

    /// <summary>What the first nodes are started with.</summary>
    public SimCatalog FirstCatalog { get; }

    /// <summary>What is wanted in the end: the first, or more views.</summary>
    public SimCatalog Catalog { get; }

    /// <summary>What a node is started with now.</summary>
    public SimCatalog CatalogNow { get; private set; }

    /// <summary>Those of the worker of a log.</summary>
    public StreamFeaturesOptions OptionsOf(LogPlan plan) => plan.Views.Count == 0 ? optionsWithoutViews : Options;

    public BatchPool Pool { get; } = new(maxRecords: 64, maxBytes: 4096);

    public Network Network { get; }

    public SimLog Log { get; }

    public SimStore Store { get; }

    public Audit Audit { get; }

    public Group Group { get; }

    /// <summary>A loss of this partition's records was told, and nobody has them since.</summary>
    public bool IsLost(PartitionId partition) => losses.Contains(partition) && Store.Least(partition) < Log.Start(partition);

    public long NowUs { get; private set; } = 1_700_000_000_000_000;

    /// <summary>Events and faults, then peace until everything is applied; then everything is looked at.</summary>
    /// <exception cref="SimulationException">A promise was broken: how to see it again, and the last steps.</exception>
    public void Run()
    {
        try
        {
            while (producer.HasMore)
                Step();
            for (var more = Random.Next(2000); more > 0; more--)
                Step();
            Faults.Healed = true;
            while (!IsAtRest)
            {
                if (Trace.Step % 16 == 0)
                    Trace.Reached(Audit.Reached);
                Step();
            }

            foreach (var partition in Catalog.PartitionsOf(Partitions))
                Audit.CheckAll(partition);
            Audit.CheckExactlyOnce();
        }
        catch (Exception e)
        {
            throw new SimulationException($"seed {Seed}{(Plant == Plant.None ? "" : $" with {Plant}")}, step {Trace.Step}: {e.Message}\n{Audit.Describe()}\n{Group.Describe()}\n{Trace}", e);
        }
        finally
        {
            foreach (var node in Group.Nodes)
                node.Kill();
        }
    }

    private static StreamFeaturesOptions With(int maxRecords, int maxStates, int idleCheckMs) =>
        new() { CommitMaxRecords = maxRecords, CommitMaxStates = maxStates, IdleCheckMs = idleCheckMs };

    private bool IsAtRest => Trace.Step % 16 == 0 && Network.Late == 0 && Audit.IsAtEnd && Group.Nodes.All(n => n.Sink.Queued == 0);

    private void Step()
    {
        if (++Trace.Step > StepsMax)
            throw new SimulationException($"the world does not come to rest: no position has moved since step {Trace.MovedAtStep}; {Network.Late} requests are late, {Group.Nodes.Sum(n => n.Sink.Queued)} records are not delivered");
        if (producer.Left <= addedAt)
            CatalogNow = Catalog;
        var running = Group.Nodes.Where(n => !n.IsPaused).ToList();
        var ready = running.Sum(n => n.Scheduler.Ready);
        var pick = new Picker(Random);
        pick.Add(ready > 0, 40);
        pick.Add(Network.Count > 0, 25);
        pick.Add(Network.Late > 0, 1);
        pick.Add(Group.Nodes.Any(n => n.Sink.Queued > 0), 15);
        pick.Add(running.Count > 0, pollWeight);
        pick.Add(producer.HasMore, 3);
        pick.Add(true, 3);
        pick.Add(Group.HasWork, 4);
        pick.Add(!Faults.Healed, 2);
        pick.Add(true, 1);
        pick.Add(Group.HasOld, 1);
        switch (pick.Choose())
        {
            case 0:
                RunOne(running, Random.Next(ready));
                break;
            case 1:
                Network.DeliverOne();
                break;
            case 2:
                Network.DeliverOneLate();
                break;
            case 3:
                Pick(Group.Nodes.Where(n => n.Sink.Queued > 0).ToList()).Sink.DeliverOne();
                break;
            case 4:
                Pick(running).Poll();
                break;
            case 5:
                producer.Append();
                break;
            case 6:
                PassTime();
                break;
            case 7:
                Group.Step();
                break;
            case 8:
                GoWrong();
                break;
            case 9:
                Audit.CheckAll(Group.RandomPartition());
                break;
            default:
                if (Faults.Healed || Random.Next(RenewOneIn) == 0)
                    Group.Renew();
                break;
        }

        if (Group.Nodes.FirstOrDefault(n => n.Failure is not null) is { } failed)
            Fail(failed);
        else if (Group.Nodes.FirstOrDefault(n => n.Missing is not null) is { } behind)
            EndBehind(behind, behind.Missing!.Value);
    }

    private void RunOne(List<Node> running, int index)
    {
        foreach (var node in running)
        {
            if (index < node.Scheduler.Ready)
            {
                Trace.Add("run", node.Id, index);
                node.Scheduler.Run(index);
                if (node.Scheduler.HasLeak)
                    throw new SimulationException("a continuation ran outside of the simulation");
                return;
            }

            index -= node.Scheduler.Ready;
        }
    }

    private void PassTime()
    {
        NowUs += Random.Next(8) == 0 ? Random.NextInt64(3_000_000) : Random.NextInt64(200_000);
        Trace.Add("time", null, NowUs);
        Coordinator.PassTime();
        foreach (var node in Group.Nodes.Where(n => !n.IsPaused))
        {
            node.Clock.Advance(Math.Max(0, NowUs + node.AheadUs - node.Clock.NowUs));
            node.Tick();
        }
    }

    // What ends a worker in earnest, a failed producer or a loss, ends the process; anything else is a bug.
    private void Fail(Node node)
    {
        if (node.Failure is LogLossException loss)
        {
            EndBehind(node, loss.Losses[0].Partition);
            return;
        }

        if (node.Failure is not DeliveryFault)
            throw new SimulationException($"{node} failed: {node.Failure!.Message}", node.Failure);
        Group.Crash(node);
    }

    // As the worker's process does: it ends, and tells of a loss where the store has none of what is missing. A zombie that is behind is none.
    private void EndBehind(Node node, PartitionId partition)
    {
        Group.Crash(node);
        if (Store.Least(partition) >= Log.Start(partition))
            return;
        Trace.Add("loss", partition, Store.Least(partition));
        if (Faults.Counts[(int)Fault.RetentionTooShort] == 0)
            throw new SimulationException($"{partition}: a loss from {Store.Least(partition)} to {Log.Start(partition)} was told, and retention has only taken what was applied");
        losses.Add(partition);
    }

    // Harmless: all of it is in the store, and in whatever the store may go back to.
    private void Retain(PartitionId partition)
    {
        var (start, least) = (Log.Start(partition), Store.Least(partition));
        if (least <= start || !Faults.Strikes(Fault.Retention, 5_000))
            return;
        start = Random.NextInt64(start + 1, least + 1);
        Store.ForgetCopiesBelow(partition, start);
        Log.Trim(partition, start);
    }

    private void RetainTooLittle(PartitionId partition)
    {
        if (Log.StableEnd(partition) is var end && end > Log.Start(partition))
            Log.Trim(partition, Random.NextInt64(Log.Start(partition) + 1, end + 1));
    }

    private void GoWrong()
    {
        const int Often = 5_000;
        const int Seldom = 500;
        var node = Group.RandomNode();
        switch (Random.Next(12))
        {
            case 0 when Faults.Strikes(Fault.TornConnection, Often):
                Trace.Add("connection torn", node.Id);
                Network.Tear(node);
                break;
            case 1 when Faults.Strikes(Fault.Crash, Often):
                Group.Crash(node);
                break;
            case 2 when Faults.Strikes(Fault.Zombie, Often):
                var partition = Group.RandomPartition();
                if (Group.OwnerOf(partition) is { } owner)
                    Group.TakeFrom(owner, partition);
                break;
            case 3 when Faults.Strikes(Fault.Pause, Often):
                Trace.Add("paused", node.Id);
                node.PausedUntilUs = NowUs + Random.NextInt64(1, 20_000_000);
                if (Random.Next(2) == 0)
                    Group.TakeFrom(node, null);
                break;
            case 4 when Faults.Strikes(Fault.Rebalance, Often):
                Group.Rebalance();
                break;
            case 5 when Faults.Strikes(Fault.DrainTimeout, Often):
                node.AbortDrains();
                break;
            case 6 when Faults.Strikes(Fault.Rollback, Often):
                Store.GoBack(null);
                break;
            case 7 when Faults.Strikes(Fault.RollbackOfOnePartition, Often):
                Store.GoBack(Group.RandomPartition());
                break;
            case 8 when Faults.Strikes(Fault.ClockJump, Often):
                node.AheadUs += Random.NextInt64(1, 3_600_000_000);
                break;
            case 9:
                Store.Snapshot();
                break;
            case 10:
                Retain(Group.RandomPartition());
                break;
            case 11 when Faults.Strikes(Fault.RetentionTooShort, Seldom):
                RetainTooLittle(Group.RandomPartition());
                break;
        }
    }

    private T Pick<T>(List<T> of) => of[Random.Next(of.Count)];

    /// <summary>Chooses among what is possible, by weight.</summary>
    private struct Picker(Random random)
    {
        private int count;
        private int chosen;
        private int total;

        public void Add(bool isPossible, int weight)
        {
            count++;
            if (!isPossible)
                return;
            total += weight;
            if (random.Next(total) < weight)
                chosen = count - 1;
        }

        public readonly int Choose() => chosen;
    }
}
