using System.Text;
using StreamMl.FeatureEngine.Log;
using StreamMl.FeatureEngine.Views;
using StreamMl.Shared.Definitions;
using StreamMl.Shared.Events;
using StreamMl.Shared.Features;
using StreamMl.Shared.Log;
using StreamMl.Shared.Store;

namespace StreamMl.OnlineScorer.Tests;

public sealed record Trip(string Origin, string? Dest, long Number, double? Delay, long AtUs);

/// <summary>A small catalogue, and a stream worker without Kafka: it applies trips to engine states and commits them to a store.</summary>
internal sealed class ServingLab
{
    public const long StartUs = 1_600_000_000_000_000;

    private readonly Dictionary<(string View, int Partition), Unit> units = [];

    public ServingLab(IStateStore store, Catalog? catalog = null)
    {
        Store = store;
        Catalog = catalog ?? MakeCatalog();
        foreach (var view in Catalog.Views)
        {
            var program = ViewProgram.Compile(view, Catalog.Source(view.Source));
            for (var p = 0; p < program.Source.Partitions; p++)
                units.Add((view.Name, p), new Unit(program, new PartitionId(program.Log, p)));
        }
    }

    public IStateStore Store { get; }

    public Catalog Catalog { get; }

    public static readonly EventSchema Schema = new("lab.Trip",
    [
        new("at", FieldType.Timestamp, false), new("origin", FieldType.String, false), new("dest", FieldType.String, true),
        new("number", FieldType.Int64, false), new("delay", FieldType.Float64, true),
    ]);

    public const string Avro = """
        {"type":"record","name":"Trip","namespace":"lab","fields":[
          {"name":"at","type":{"type":"long","logicalType":"timestamp-micros"}},{"name":"origin","type":"string"},
          {"name":"dest","type":["null","string"],"default":null},{"name":"number","type":"long"},{"name":"delay","type":["null","double"],"default":null}]}
        """;

    public static Catalog MakeCatalog(int partitions = 3, string window = "1h")
    {
        var source = new SourceDefinition
        {
            Name = "trips",
            Topic = "trips",
            AvroSchema = Avro,
            Schema = Schema,
            EventTimeField = "at",
            KeyFields = ["origin"],
            Partitions = partitions,
        };
        var schedule = source with { Name = "schedules", Topic = "schedules" };
        ViewDefinition View(string name, string entity, params string[] keys) => new()
        {
            Name = name,
            Source = "trips",
            Entity = entity,
            KeyFields = keys,
            Features = [.. Features(window)],
        };
        var views = new[] { View("by_origin", "origin", "origin"), View("by_dest", "destination", "dest"), View("by_route", "route", "origin", "dest"), View("by_number", "number", "number"), View("overall", "all") };
        return new Catalog(
            "lab", [source, schedule],
            [new("origin", ["origin"]), new("destination", ["dest"]), new("route", ["origin", "dest"]), new("number", ["number"]), new("all", [])],
            views,
            [
                new() { Name = "everything", Trigger = "schedules", Features = [.. views.SelectMany(v => v.Features.Select(f => new FeatureReference(v.Name, f.Name)))] },
                new() { Name = "picked", Features = [new("by_dest", "last_dest"), new("by_origin", "count_1h"), new("by_dest", "mean_delay_1h"), new("by_origin", "last_k_delay_2")] },
            ]);
    }

    public void Apply(Trip trip)
    {
        foreach (var unit in units.Values.DistinctBy(u => u.Log.Topic).ToList())
        {
            if (KeyOf(unit.Program, trip) is not { } key)
                continue;
            var partition = KeyPartitioner.PartitionOf(Encoding.UTF8.GetBytes(key), unit.Program.Source.Partitions);
            foreach (var other in units.Values.Where(u => u.Log.Topic == unit.Log.Topic && u.Log.Partition == partition))
                other.Apply(trip);
        }
    }

    /// <summary>One commit per unit that has anything new, or had none yet.</summary>
    public async Task CommitAsync()
    {
        foreach (var unit in units.Values)
            await unit.CommitAsync(Store);
    }

    /// <summary>What the engine itself reads, in memory.</summary>
    public (ReadInfo Info, FeatureRow Row, long NextOffset) ReadInMemory(string view, int partition, string key, long asOfUs)
    {
        var unit = units[(view, partition)];
        var row = new FeatureRow(unit.Program.Outputs.Count);
        var info = unit.Read(key, asOfUs, row);
        return (info, row, unit.NextOffset);
    }

    public ViewProgram Program(string view) => units[(view, 0)].Program;

    private static string? KeyOf(ViewProgram program, Trip trip)
    {
        var texts = program.View.KeyFields.Select(f => f switch { "origin" => trip.Origin, "dest" => trip.Dest, "number" => trip.Number.ToString(), _ => throw new ArgumentException(f) }).ToList();
        return texts.Contains(null) ? null : Encoding.UTF8.GetString(EntityKey.FromTexts(texts!));
    }

    private static IEnumerable<FeatureDefinition> Features(string window)
    {
        WindowDefinition trailing = Durations.TryParse(window, out var length) ? new TrailingWindow(length) : throw new ArgumentException(window);
        yield return new($"count_{window}", new("count"), trailing);
        yield return new($"mean_delay_{window}", new("mean", "delay"), trailing);
        yield return new("last_dest", new("last", "dest"), new LifetimeWindow());
        yield return new("last_k_delay_2", new("last_k", "delay", 2), new LifetimeWindow());
        yield return new("time_since_last", new("time_since_last"), new LifetimeWindow());
    }

    private sealed class Unit(ViewProgram program, PartitionId log) : IDisposable
    {
        private readonly ViewStates states = new(program);
        private readonly ViewInput input = new(program, Schema);
        private readonly HashSet<int> dirty = [];
        private readonly EventBatch batch = new(Schema, 4);
        private LogGate gate = new(program.Source, PositionRecord.Start);
        private byte[]? committed;

        public ViewProgram Program { get; } = program;

        public PartitionId Log { get; } = log;

        public long NextOffset { get; private set; }

        public void Apply(Trip trip)
        {
            batch.Clear();
            var row = batch.NextRow();
            batch.Columns[0].Set(row, trip.AtUs);
            batch.Columns[1].Set(row, batch.Arena.Append(trip.Origin));
            batch.Columns[2].SetNull(row);
            if (trip.Dest is not null)
                batch.Columns[2].Set(row, batch.Arena.Append(trip.Dest));
            batch.Columns[3].Set(row, trip.Number);
            batch.Columns[4].SetNull(row);
            if (trip.Delay is { } delay)
                batch.Columns[4].Set(row, delay);
            gate.Admit(NextOffset, trip.AtUs, trip.AtUs, -1, 0, out _).ShouldBe(Disposition.Accepted);
            batch.Offsets[row] = NextOffset++;
            batch.EventTimesUs[row] = trip.AtUs;
            batch.WatermarksUs[row] = gate.WatermarkBeforeUs;
            batch.ArrivalTimesUs[row] = gate.ArrivalClockUs;
            batch.Count = 1;
            input.Bind(batch);
            var id = input.IsFiltered(0) ? -1 : states.Intern(input.Key(0));
            states.Apply(input, 0, 1, [id], new RowOutcome[1]);
            if (id >= 0)
                dirty.Add(id);
        }

        public void Dispose() => states.Dispose();

        public async Task CommitAsync(IStateStore store)
        {
            var position = gate.Position(1).Encode();
            if (committed is not null && position.AsSpan().SequenceEqual(committed))
                return;
            var commit = new StoreCommit(Log);
            var key = Encoding.UTF8.GetBytes(LogNames.PositionKey(Log, Program.View.Name, Program.Hash8));
            commit.Expect(key, committed);
            foreach (var id in dirty)
            {
                states.Encode(id, commit.ValueWriter);
                commit.EndSet(Encoding.UTF8.GetBytes(LogNames.StatePrefix(Log, Program.View.Name, Program.Hash8)), states.KeyOf(id));
            }

            commit.Set(key, position);
            (await store.CommitAsync(commit, TestContext.Current.CancellationToken)).Status.ShouldBe(CommitStatus.Committed);
            dirty.Clear();
            committed = position;
        }

        public ReadInfo Read(string key, long asOfUs, FeatureRow row)
        {
            if (states.TryFind(Encoding.UTF8.GetBytes(key), out var id))
                return states.Read(id, asOfUs, gate.WatermarkUs, row, 0);
            return StateReader.Read(Program, [], asOfUs, gate.WatermarkUs, row, 0);
        }
    }
}
