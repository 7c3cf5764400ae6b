using System.Diagnostics;
using Microsoft.ML;
using Microsoft.ML.Data;
using StreamMl.Infrastructure.Tables;
using StreamMl.Infrastructure.TrainingSets;
using StreamMl.Shared.Events;
using StreamMl.Training.Data;

namespace StreamMl.Benchmarks.Training;

/// <summary>
/// From a training set to ML.NET: a million rows of 22 numbers in four Arrow files, opened and scanned as our data view, beside ML.NET's own ways: objects in memory
/// (LoadFromEnumerable) and a text file. All scans add up the same cells, and the sums are compared. Arguments: rows (1,000,000), rounds (5).
/// </summary>
internal static class ArrowBenchmark
{
    private const int Columns = 22;
    private const double OpenTargetMs = 10;

    public static int Run(string[] args)
    {
        var (rows, rounds) = (args.Length > 0 ? int.Parse(args[0]) : 1_000_000, args.Length > 1 ? int.Parse(args[1]) : 5);
        var directory = Directory.CreateTempSubdirectory("streamml-").FullName;
        try
        {
            Write(directory, rows);
            var (open, scan, bytes, sum) = Ours(directory, rounds);
            Console.WriteLine($"{rows:N0} rows x {Columns}: opened in {open:F2} ms (target {OpenTargetMs}), scanned in {scan:F0} ms, {(double)bytes / rows:F4} B allocated per row; median of {rounds}");
            var (made, objects, objectBytes, objectSum) = Enumerable(directory, rows);
            Console.WriteLine($"LoadFromEnumerable: objects made in {made:F0} ms ({objectBytes >> 20} MiB), scanned in {objects:F0} ms, {objects / scan:F1} times ours");
            var (text, textSum) = Text(directory);
            Console.WriteLine($"LoadFromTextFile: scanned in {text:F0} ms, {text / scan:F1} times ours");
            var equal = sum == objectSum && Math.Abs(sum - textSum) < 1e-3 * Math.Abs(sum);
            Console.WriteLine(equal ? "the sums are equal" : $"the sums differ: {sum:R}, {objectSum:R}, {textSum:R}");
            return equal && open <= OpenTargetMs && bytes < rows ? 0 : 1;
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    private static (double OpenMs, double ScanMs, long Bytes, double Sum) Ours(string directory, int rounds)
    {
        var (opens, scans) = (new List<double>(), new List<double>());
        var (bytes, sum) = (0L, 0.0);
        for (var round = 0; round <= rounds; round++)
        {
            var started = Stopwatch.GetTimestamp();
            using var set = TrainingSet.Open(directory);
            var view = new ArrowDataView(set, [.. System.Linq.Enumerable.Range(0, Columns).Select(c => $"c{c}")]);
            opens.Add(Stopwatch.GetElapsedTime(started).TotalMilliseconds);
            started = Stopwatch.GetTimestamp();
            var before = GC.GetAllocatedBytesForCurrentThread();
            sum = Sum<double>(view, v => v);
            bytes = GC.GetAllocatedBytesForCurrentThread() - before;
            scans.Add(Stopwatch.GetElapsedTime(started).TotalMilliseconds);
        }

        // The first round pays for compiling.
        return (Median(opens[1..]), Median(scans[1..]), bytes, sum);
    }

    private static (double MadeMs, double ScanMs, long Bytes, double Sum) Enumerable(string directory, int rows)
    {
        using var set = TrainingSet.Open(directory);
        var started = Stopwatch.GetTimestamp();
        var before = GC.GetAllocatedBytesForCurrentThread();
        var objects = new Item[rows];
        var view = new ArrowDataView(set);
        using (var cursor = view.GetRowCursor(view.Schema))
        {
            var getters = System.Linq.Enumerable.Range(0, Columns).Select(c => cursor.GetGetter<double>(view.Schema[$"c{c}"])).ToArray();
            for (var i = 0; cursor.MoveNext(); i++)
            {
                var values = new double[Columns];
                for (var c = 0; c < Columns; c++)
                    getters[c](ref values[c]);
                objects[i] = new Item { Values = values };
            }
        }

        var (made, bytes) = (Stopwatch.GetElapsedTime(started).TotalMilliseconds, GC.GetAllocatedBytesForCurrentThread() - before);
        var loaded = new MLContext(1).Data.LoadFromEnumerable(objects);
        started = Stopwatch.GetTimestamp();
        var sum = 0.0;
        using var rowsOf = loaded.GetRowCursor(loaded.Schema);
        var get = rowsOf.GetGetter<VBuffer<double>>(loaded.Schema["Values"]);
        var buffer = default(VBuffer<double>);
        while (rowsOf.MoveNext())
        {
            get(ref buffer);
            foreach (var value in buffer.GetValues())
                sum += value;
        }

        return (made, Stopwatch.GetElapsedTime(started).TotalMilliseconds, bytes, sum);
    }

    private static (double ScanMs, double Sum) Text(string directory)
    {
        var path = Path.Combine(directory, "rows.csv");
        var ml = new MLContext(1);
        using (var set = TrainingSet.Open(directory))
        using (var stream = File.Create(path))
            ml.Data.SaveAsText(new ArrowDataView(set, [.. System.Linq.Enumerable.Range(0, Columns).Select(c => $"c{c}")]), stream, ',', headerRow: false, schema: false);
        var view = ml.Data.LoadFromTextFile(path, [.. System.Linq.Enumerable.Range(0, Columns).Select(c => new TextLoader.Column($"c{c}", DataKind.Double, c))], ',');
        var started = Stopwatch.GetTimestamp();
        var sum = Sum<double>(view, v => v);
        return (Stopwatch.GetElapsedTime(started).TotalMilliseconds, sum);
    }

    private static double Sum<T>(IDataView view, Func<T, double> number)
    {
        using var cursor = view.GetRowCursor(view.Schema);
        var getters = System.Linq.Enumerable.Range(0, Columns).Select(c => cursor.GetGetter<T>(view.Schema[$"c{c}"])).ToArray();
        var sum = 0.0;
        var value = default(T)!;
        while (cursor.MoveNext())
        {
            foreach (var getter in getters)
            {
                getter(ref value);
                sum += number(value);
            }
        }

        return sum;
    }

    private static void Write(string directory, int rows)
    {
        var schema = new EventSchema("bench", [new EventField("time", FieldType.Timestamp, false), .. System.Linq.Enumerable.Range(0, Columns).Select(c => new EventField($"c{c}", c % 3 == 0 ? FieldType.Int64 : FieldType.Float64, true))]);
        var random = new Random(1);
        var files = new List<ManifestFile>();
        for (var from = 0; from < rows; from += 262_144)
        {
            var path = Path.Combine(directory, $"part-{files.Count:D5}.arrow");
            var count = Math.Min(262_144, rows - from);
            using (var writer = new ArrowTableWriter(path, schema))
            {
                for (var done = 0; done < count; done += 65_536)
                    writer.Write(Batch(schema, Math.Min(65_536, count - done), random));
                writer.Commit();
            }

            files.Add(new ManifestFile(Path.GetFileName(path), count, new FileInfo(path).Length, ""));
        }

        var manifest = new TrainingManifest
        {
            Service = "bench",
            ServiceHash = "",
            ViewHashes = new Dictionary<string, string>(),
            Mode = "arrival-time",
            Delay = "0s",
            ServingDelay = "0s",
            Spine = "events of bench",
            Label = null,
            UsesServedPrefixes = false,
            Rows = rows,
            LeftOut = new Dictionary<string, long>(),
            Logs = [],
            Columns = [.. schema.Fields.Select((f, i) => new ManifestColumn(f.Name, f.Type.ToString(), i == 0 ? ColumnRoles.Time : ColumnRoles.Feature))],
            Files = files,
        };
        File.WriteAllBytes(Path.Combine(directory, TrainingManifest.FileName), manifest.ToJson());
    }

    private static EventBatch Batch(EventSchema schema, int rows, Random random)
    {
        var batch = new EventBatch(schema, rows) { Count = rows };
        for (var c = 0; c < schema.Fields.Count; c++)
        {
            for (var i = 0; i < rows; i++)
            {
                if (schema.Fields[c].Type == FieldType.Float64)
                    batch.Columns[c].Set(i, random.NextDouble());
                else
                    batch.Columns[c].Set(i, random.NextInt64(1_000));
            }
        }

        return batch;
    }

    private static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);

    private sealed class Item
    {
        [VectorType(Columns)]
        public double[] Values { get; set; } = [];
    }
}
