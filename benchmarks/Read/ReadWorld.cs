using System.Globalization;
using System.Text;
using StackExchange.Redis;
using StreamMl.FeatureEngine.Views;
using StreamMl.Infrastructure.Store;
using StreamMl.OnlineScorer.Reading;
using StreamMl.Shared.Definitions;
using StreamMl.Shared.Events;
using StreamMl.Shared.Features;
using StreamMl.Shared.Log;
using StreamMl.Shared.Store;

namespace StreamMl.Benchmarks.Read;

/// <summary>The same features in both layouts on one server, and a read of 64 random entities in each.</summary>
internal sealed class ReadWorld
{
    public const int Entities = 50_000;
    private const int EntitiesPerRead = 64;
    private const int Partitions = 4;
    private const long StartUs = 1_700_000_000_000_000;
    private const long WeekUs = 7L * 86_400_000_000;
    public const long AsOfUs = StartUs + WeekUs + 1;

    private static readonly EventSchema Schema = new("bench.Event", [new("at", FieldType.Timestamp, false), new("k", FieldType.String, false), new("x", FieldType.Float64, false)]);

    private readonly Catalog catalog;
    private readonly ServedService service;
    private readonly RedisValue[][] fieldNames;

    private ReadWorld(IEnumerable<string> viewNames, SourceDefinition? trigger)
    {
        var source = new SourceDefinition { Name = "s", Topic = "s", AvroSchema = "{}", Schema = Schema, EventTimeField = "at", KeyFields = ["k"], Partitions = Partitions };
        var views = viewNames.Select(n => new ViewDefinition { Name = n, Source = "s", Entity = "e", KeyFields = ["k"], Features = [.. Features()] }).ToList();
        var definition = new ServiceDefinition { Name = "bench", Trigger = trigger?.Name, Features = [.. views.SelectMany(v => v.Features.Select(f => new FeatureReference(v.Name, f.Name)))] };
        catalog = new Catalog("bench", trigger is null ? [source] : [source, trigger], [new("e", ["k"])], views, [definition]);
        service = ServedService.Compile(catalog, definition);
        fieldNames = [.. service.Views.Select(v => v.View.Program.Outputs.Select(o => (RedisValue)o.FullName).ToArray())];
    }

    public int StateBytes { get; private set; }

    public int HashBytes { get; private set; }

    public Catalog Catalog => catalog;

    public ServedService Service => service;

    /// <param name="redis">Where the states and hashes go.</param>
    /// <param name="eventsPerEntity">Events in each state.</param>
    /// <param name="views">The views of the service; three by default.</param>
    /// <param name="trigger">The service's trigger, where it has one.</param>
    public static async Task<ReadWorld> FillAsync(IConnectionMultiplexer redis, int eventsPerEntity, IEnumerable<string>? views = null, SourceDefinition? trigger = null)
    {
        var world = new ReadWorld(views ?? ["origin_landed", "dest_landed", "carrier_landed"], trigger);
        for (var view = 0; view < world.service.Views.Count; view++)
            await world.FillViewAsync(redis, view, eventsPerEntity);
        return world;
    }

    /// <summary>Makes reads by the feature reader; each caller its own batch, as a server's requests have.</summary>
    public Func<Task> OursAsync(IConnectionMultiplexer redis, int seed)
    {
        var reader = new FeatureReader(new RedisStateStore(redis), new());
        var batch = new ReadBatch(service);
        var random = new Random(seed);
        return async () =>
        {
            Ask(batch, random);
            await reader.ReadAsync(batch, CancellationToken.None);
        };
    }

    /// <summary>Makes reads by one HGETALL per entity and view, all sent at once; every text becomes a double in its place.</summary>
    public Func<Task> HashesAsync(IConnectionMultiplexer redis, int seed)
    {
        var database = redis.GetDatabase();
        var random = new Random(seed);
        var values = new double[EntitiesPerRead * service.Program.Columns.Count];
        var pending = new Task<HashEntry[]>[EntitiesPerRead * service.Views.Count];
        return () => ReadHashesAsync(database, random, pending, values);
    }

    public async Task CompareAsync(IConnectionMultiplexer redis, int reads)
    {
        var (batch, pending, values) = (new ReadBatch(service), new Task<HashEntry[]>[EntitiesPerRead * service.Views.Count], new double[EntitiesPerRead * service.Program.Columns.Count]);
        var reader = new FeatureReader(new RedisStateStore(redis), new());
        for (var read = 0; read < reads; read++)
        {
            Ask(batch, new Random(read));
            await reader.ReadAsync(batch, CancellationToken.None);
            await ReadHashesAsync(redis.GetDatabase(), new Random(read), pending, values);
            for (var i = 0; i < values.Length; i++)
            {
                var (row, column) = (i / service.Program.Columns.Count, i % service.Program.Columns.Count);
                if (BitConverter.DoubleToInt64Bits(Number(batch.Row(row), column, service.Program.Columns[column].Type)) != BitConverter.DoubleToInt64Bits(values[i]))
                    throw new InvalidOperationException($"read {read}, value {i}: the two layouts differ");
            }
        }
    }

    private async Task ReadHashesAsync(IDatabase database, Random random, Task<HashEntry[]>[] pending, double[] values)
    {
        for (var entity = 0; entity < EntitiesPerRead; entity++)
        {
            var key = Key(random.Next(Entities));
            for (var view = 0; view < service.Views.Count; view++)
                pending[(entity * service.Views.Count) + view] = database.HashGetAllAsync($"{service.Views[view].Name}:{key}");
        }

        for (var i = 0; i < pending.Length; i++)
            Decode(await pending[i], i % service.Views.Count, values.AsSpan((i / service.Views.Count * service.Program.Columns.Count) + service.Views[i % service.Views.Count].View.ServiceColumns[0]));
    }

    // The fields come as they were written, so that a name is compared with the one expected, which is kinder than a look-up.
    public void Decode(HashEntry[] entries, int view, Span<double> values)
    {
        for (var i = 0; i < entries.Length; i++)
        {
            if (entries[i].Name != fieldNames[view][i])
                throw new InvalidOperationException($"field {entries[i].Name} where {fieldNames[view][i]} is expected");
            values[i] = entries[i].Value.IsNullOrEmpty ? double.NaN : (double)entries[i].Value;
        }
    }

    private static void Ask(ReadBatch batch, Random random)
    {
        batch.Clear();
        Span<byte> key = stackalloc byte[16];
        for (var i = 0; i < EntitiesPerRead; i++)
        {
            var request = batch.Add(AsOfUs);
            Encoding.UTF8.TryGetBytes(Key(random.Next(Entities)), key, out var length);
            batch.SetKey(request, 0, key[..length]);
        }
    }

    private async Task FillViewAsync(IConnectionMultiplexer redis, int view, int eventsPerEntity)
    {
        var program = service.Views[view].View.Program;
        using var states = new ViewStates(program);
        var watermarkUs = Apply(program, states, new Random(view), eventsPerEntity);
        var store = new RedisStateStore(redis);
        var commits = Enumerable.Range(0, Partitions).Select(p => new StoreCommit(new PartitionId(program.Log, p))).ToArray();
        var row = new FeatureRow(program.Outputs.Count);
        for (var id = 0; id < Entities; id++)
        {
            var key = states.KeyOf(id).ToArray();
            var partition = KeyPartitioner.PartitionOf(key, Partitions);
            states.Encode(id, commits[partition].ValueWriter);
            if (id == 0)
                StateBytes = commits[partition].Values.OpenLength;
            commits[partition].EndSet(service.Views[view].StatePrefix(partition), key);
            row.Clear();
            states.Read(id, AsOfUs, watermarkUs, row, 0);
            await WriteHashAsync(redis.GetDatabase(), view, Encoding.UTF8.GetString(key), program, row, wait: id % 500 == 499);
        }

        for (var p = 0; p < Partitions; p++)
        {
            commits[p].Set(service.Views[view].PositionKey(p), new PositionRecord(1, Entities * eventsPerEntity, watermarkUs, watermarkUs, StartUs, []).Encode());
            await store.CommitAsync(commits[p], CancellationToken.None);
        }
    }

    private async Task WriteHashAsync(IDatabase database, int view, string key, ViewProgram program, FeatureRow row, bool wait)
    {
        var fields = program.Outputs.Select((o, i) => new HashEntry(o.FullName, row.Valid[i] == 0 ? "" : Number(row, i, o.Type).ToString("R", CultureInfo.InvariantCulture))).ToArray();
        HashBytes = fields.Sum(f => ((string)f.Name!).Length + ((string)f.Value!).Length);
        var written = database.HashSetAsync($"{service.Views[view].Name}:{key}", fields);
        if (wait)
            await written;
    }

    private static long Apply(ViewProgram program, ViewStates states, Random random, int eventsPerEntity)
    {
        var input = new ViewInput(program, Schema);
        var batch = new EventBatch(Schema);
        var (ids, outcomes) = (new int[Entities], new RowOutcome[Entities]);
        var watermarkUs = PositionRecord.None;
        for (var round = 0; round < eventsPerEntity; round++)
        {
            batch.Clear();
            for (var i = 0; i < Entities; i++)
            {
                var row = batch.NextRow();
                var at = StartUs + (long)((round + random.NextDouble()) * WeekUs / eventsPerEntity);
                batch.Offsets[row] = ((long)round * Entities) + i;
                batch.EventTimesUs[row] = at;
                batch.WatermarksUs[row] = watermarkUs;
                watermarkUs = Math.Max(watermarkUs, at);
                batch.Columns[0].Set(row, at);
                batch.Columns[1].Set(row, batch.Arena.Append(Key(i)));
                batch.Columns[2].Set(row, Math.Round((random.NextDouble() * 200) - 20, 2));
                batch.Count++;
            }

            input.Bind(batch);
            for (var i = 0; i < Entities; i++)
                ids[i] = states.Intern(input.Key(i));
            states.Apply(input, 0, Entities, ids, outcomes);
        }

        return watermarkUs;
    }

    private static double Number(FeatureRow row, int column, FieldType type) =>
        row.Valid[column] == 0 ? double.NaN : type == FieldType.Float64 ? BitConverter.Int64BitsToDouble(row.Lanes[column]) : row.Lanes[column];

    public static string Key(int entity) => $"E{entity:D6}";

    private static IEnumerable<FeatureDefinition> Features()
    {
        foreach (var hours in new[] { 1, 6, 24, 72, 168 })
        {
            var window = new TrailingWindow(TimeSpan.FromHours(hours));
            yield return new($"count_{window.Label}", new("count"), window);
            foreach (var function in new[] { "sum", "mean", "max" })
                yield return new($"{function}_arr_delay_{window.Label}", new(function, "x"), window);
        }
    }
}
