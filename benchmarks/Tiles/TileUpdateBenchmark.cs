using System.Text;
using DuckDB.NET.Data;
using StreamMl.FeatureEngine.Views;
using StreamMl.Shared.Definitions;
using StreamMl.Shared.Events;

namespace StreamMl.Benchmarks.Tiles;

/// <summary>
/// Tile update: count, sum, mean, min, max on five levels, 10M events, 100k entities (zipf), one thread, beside DuckDB's one-thread group-by
/// of a single level in the same process. Prints one line of JSON a figure.
/// </summary>
internal static class TileUpdateBenchmark
{
    /// <summary>How many times as long as our five levels DuckDB's one must take.</summary>
    private const double LeastRatio = 3;

    private const int Entities = 100_000;
    private const int BatchRows = 65_536;
    private const long Start = 1_700_000_000_000_000;
    private const long SpanUs = 30L * 86_400_000_000;

    public static int Run(string[] args)
    {
        var events = args.Length > 0 ? int.Parse(args[0]) : 10_000_000;
        Console.WriteLine($"tile update, {events:N0} events, {Entities:N0} entities (zipf 1.05), 5 levels x count, sum, mean, min, max; one thread");
        var batches = MakeBatches(events);
        var ours = double.MaxValue;
        for (var run = 0; run < 3; run++)
            ours = Math.Min(ours, MeasureOurs(batches, events));
        StateBenchmark.Run(ViewProgram.Compile(View(), Source()), batches);
        var duck = MeasureDuckDb(batches, events);
        Console.WriteLine($"ratio: DuckDB's single level takes {duck / ours:F2} times as long as our five (at least {LeastRatio} is wanted)");
        return duck / ours >= LeastRatio ? 0 : 1;
    }

    private static double MeasureOurs(List<EventBatch> batches, int events)
    {
        var program = ViewProgram.Compile(View(), Source());
        using var states = new ViewStates(program);
        var input = new ViewInput(program, batches[0].Schema);
        var ids = new int[BatchRows];
        var outcomes = new RowOutcome[BatchRows];
        double bind = 0, intern = 0, apply = 0;
        var allocatedAtHalf = 0L;
        for (var b = 0; b < batches.Count; b++)
        {
            if (b == batches.Count / 2)
                allocatedAtHalf = GC.GetAllocatedBytesForCurrentThread();
            var t0 = Cpu();
            input.Bind(batches[b]);
            var t1 = Cpu();
            states.InternBatch(input, 0, batches[b].Count, ids);
            var t2 = Cpu();
            states.Apply(input, 0, batches[b].Count, ids, outcomes);
            bind += t1 - t0;
            intern += t2 - t1;
            apply += Cpu() - t2;
        }

        var perEvent = (double)(GC.GetAllocatedBytesForCurrentThread() - allocatedAtHalf) / (events / 2);
        Console.WriteLine($"  ours: apply {apply * 1e9 / events:F1} ns/event, intern {intern * 1e9 / events:F1}, bind {bind * 1e9 / events:F1}; {perEvent:F3} B/event allocated in the second half; {states.MemoryBytes / 1e6:F0} MB of states");
        return bind + intern + apply;
    }

    private static double MeasureDuckDb(List<EventBatch> batches, int events)
    {
        using var connection = new DuckDBConnection("DataSource=:memory:");
        connection.Open();
        Execute(connection, "SET threads = 1");
        Execute(connection, "CREATE TABLE events (entity VARCHAR, event_time BIGINT, amount DOUBLE)");
        using (var appender = connection.CreateAppender("events"))
        {
            foreach (var batch in batches)
            {
                for (var i = 0; i < batch.Count; i++)
                    appender.CreateRow().AppendValue(batch.Arena.GetString(batch.Columns[0].Lanes[i])).AppendValue(batch.EventTimesUs[i]).AppendValue(batch.Columns[1].Doubles[i]).EndRow();
            }
        }

        var best = double.MaxValue;
        foreach (var (name, key) in new[] { ("text key", "entity"), ("integer key", "id") })
        {
            if (key == "id")
                Execute(connection, "CREATE TABLE numbered AS SELECT hash(entity) AS id, event_time, amount FROM events");
            var table = key == "id" ? "numbered" : "events";
            var before = Cpu();
            Execute(connection, $"CREATE OR REPLACE TABLE out AS SELECT {key}, event_time // 3600000000 AS tile, count(*), sum(amount), avg(amount), min(amount), max(amount) FROM {table} GROUP BY ALL");
            var seconds = Cpu() - before;
            Console.WriteLine($"  DuckDB, one level of 1h, {name}: {seconds * 1e9 / events:F1} ns/event");
            best = Math.Min(best, seconds);
        }

        return best;
    }

    /// <summary>CPU seconds of the process: what else the machine does counts for neither side.</summary>
    internal static double Cpu() => Environment.CpuUsage.TotalTime.TotalSeconds;

    private static void Execute(DuckDBConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }

    private static List<EventBatch> MakeBatches(int events)
    {
        var random = new Random(1);
        var zipf = new Zipf(Entities, 1.05);
        var keys = Enumerable.Range(0, Entities).Select(i => Encoding.UTF8.GetBytes($"entity-{i:D6}")).ToArray();
        var schema = Source().Schema.Project(new HashSet<string>(["entity", "amount"], StringComparer.Ordinal));
        var batches = new List<EventBatch>();
        for (var done = 0; done < events;)
        {
            var batch = new EventBatch(schema, BatchRows);
            for (; batch.Count < BatchRows && done < events; done++)
            {
                var row = batch.NextRow();
                var at = Start + (long)((double)done / events * SpanUs);
                batch.Offsets[row] = done;
                batch.EventTimesUs[row] = random.Next(100) == 0 ? at - (random.Next(600) * 1_000_000L) : at;
                batch.WatermarksUs[row] = at;
                batch.Columns[0].Set(row, batch.Arena.Append(keys[zipf.Next(random)]));
                batch.Columns[1].Set(row, Math.Round(random.NextDouble() * 1000, 2));
                batch.Count++;
            }

            batches.Add(batch);
        }

        return batches;
    }

    private static SourceDefinition Source() => new()
    {
        Name = "events",
        Topic = "events",
        AvroSchema = "{}",
        EventTimeField = "at",
        KeyFields = ["entity"],
        Schema = new EventSchema("bench.Event", [new("entity", FieldType.String, false), new("at", FieldType.Timestamp, false), new("amount", FieldType.Float64, false)]),
    };

    private static ViewDefinition View() => new()
    {
        Name = "bench",
        Source = "events",
        Entity = "entity",
        KeyFields = ["entity"],
        Features = [.. from hours in new[] { 1, 6, 24, 24 * 7, 24 * 30 }
            from function in new[] { "count", "sum", "mean", "min", "max" }
            let aggregation = new Aggregation(function, function == "count" ? null : "amount")
            let window = new TrailingWindow(TimeSpan.FromHours(hours))
            select new FeatureDefinition(FeatureNames.Of(aggregation, window), aggregation, window)],
    };
}

/// <summary>Zipf by inversion of the cumulative weights.</summary>
internal sealed class Zipf
{
    private readonly double[] cumulative;

    public Zipf(int count, double exponent)
    {
        cumulative = new double[count];
        var sum = 0.0;
        for (var i = 0; i < count; i++)
            cumulative[i] = sum += 1 / Math.Pow(i + 1, exponent);
        for (var i = 0; i < count; i++)
            cumulative[i] /= sum;
    }

    public int Next(Random random)
    {
        var at = Array.BinarySearch(cumulative, random.NextDouble());
        return Math.Min(at < 0 ? ~at : at, cumulative.Length - 1);
    }
}
