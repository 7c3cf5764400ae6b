using System.Text;
using StreamMl.FeatureEngine.Views;
using StreamMl.Shared.Definitions;
using StreamMl.Shared.Events;

namespace StreamMl.Benchmarks.Tiles;

/// <summary>
/// Tile update: count, sum, mean, min, max on five levels, 10M events, 100k entities (zipf), one thread, beside DuckDB's one-thread group-by
/// of a single level in the same process, and what composing it with Rx costs.
/// </summary>
internal static class TileUpdateBenchmark
{
    /// <summary>How many times as long as our five levels DuckDB's one must take.</summary>
    private const double LeastRatio = 3;

    /// <summary>What the Rx pipeline around the update may cost, as a share of it.</summary>
    private const double MostRxShare = 0.1;

    private const int Rounds = 4; // in turn, the best of each side: what else the machine does hits some of them
    private const int Entities = 100_000;
    private const int BatchRows = 65_536;
    private const long Start = 1_700_000_000_000_000;
    private const long SpanUs = 30L * 86_400_000_000;

    public static int Run(string[] args)
    {
        var events = args.Length > 0 ? int.Parse(args[0]) : 10_000_000;
        Console.WriteLine($"tile update, {events:N0} events, {Entities:N0} entities (zipf 1.05), 5 levels x count, sum, mean, min, max; one thread; CPU time, best of {Rounds} rounds in turn");
        var batches = MakeBatches(events);
        using var duck = new DuckDbGroupBy(batches);
        double ours = double.MaxValue, bare = double.MaxValue, composed = double.MaxValue, text = double.MaxValue, integer = double.MaxValue;
        for (var round = 0; round < Rounds; round++)
        {
            ours = Math.Min(ours, MeasureOurs(batches, events));
            bare = Math.Min(bare, RxComposition.MeasureBare(batches));
            composed = Math.Min(composed, RxComposition.MeasureComposed(batches));
            var (textKey, integerKey) = (duck.MeasureTextKey(), duck.MeasureIntegerKey());
            Console.WriteLine($"  DuckDB, one level of 1h: text key {textKey * 1e9 / events:F1} ns/event, integer key {integerKey * 1e9 / events:F1}");
            (text, integer) = (Math.Min(text, textKey), Math.Min(integer, integerKey));
        }

        Console.WriteLine($"  best: ours {ours * 1e9 / events:F1} ns/event, DuckDB with text key {text * 1e9 / events:F1} ns/event, integer key {integer * 1e9 / events:F1}");
        Console.WriteLine($"  composed with Rx: {composed * 1e9 / events:F1} ns/event, a bare loop {bare * 1e9 / events:F1}: {(composed - bare) / bare:P1} more (under {MostRxShare:P0} is wanted)");
        StateBenchmark.Run(ViewProgram.Compile(View(), Source()), batches);
        var ratio = Math.Min(text, integer) / ours;
        Console.WriteLine($"ratio: DuckDB's single level takes {ratio:F2} times as long as our five (at least {LeastRatio} is wanted); {text / ours:F2} with the text key, which is what we take too");
        return ratio >= LeastRatio && composed < bare * (1 + MostRxShare) ? 0 : 1;
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

    /// <summary>CPU seconds of the process: what else the machine does counts for neither side.</summary>
    internal static double Cpu() => Environment.CpuUsage.TotalTime.TotalSeconds;

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

    internal static SourceDefinition Source() => new()
    {
        Name = "events",
        Topic = "events",
        AvroSchema = "{}",
        EventTimeField = "at",
        KeyFields = ["entity"],
        Schema = new EventSchema("bench.Event", [new("entity", FieldType.String, false), new("at", FieldType.Timestamp, false), new("amount", FieldType.Float64, false)]),
    };

    internal static ViewDefinition View() => new()
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
