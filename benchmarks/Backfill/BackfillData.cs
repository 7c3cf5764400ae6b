using Apache.Arrow.Ipc;
using ParquetSharp.Arrow;
using StreamMl.Benchmarks.Tiles;
using StreamMl.Infrastructure.Tables;
using StreamMl.Shared.Definitions;
using StreamMl.Shared.Events;

namespace StreamMl.Benchmarks.Backfill;

/// <summary>
/// Events over 30 days and spine rows over the same time, as Arrow and as Parquet, and the catalogue with the twelve features. Times ascend and
/// are unique, and amounts are quarters, so that sums are exact whatever their order and every value can be compared to the bit.
/// </summary>
internal static class BackfillData
{
    public const string Service = "twelve";
    private const int Entities = 100_000;
    private const long Start = 1_700_006_400_000_000; // midnight UTC
    private const long SpanUs = 30L * 86_400_000_000;
    private const int BatchRows = 65_536;

    /// <summary>In the order of the service's columns: window by window count, sum, mean, max.</summary>
    public static readonly string[] Windows = ["1h", "24h", "7d"];

    public static readonly string[] Functions = ["count", "sum", "mean", "max"];

    private static readonly EventSchema Events = new("bench.Event", [new("entity", FieldType.Int64, false), new("time", FieldType.Timestamp, false), new("amount", FieldType.Float64, false)]);

    private static readonly EventSchema Spine = new("spine", [new("row", FieldType.Int64, false), new("entity", FieldType.Int64, false), new("time", FieldType.Timestamp, false)]);

    public static void Write(string directory, long events, long rows, bool isZipf)
    {
        var random = new Random(7);
        var zipf = new Zipf(Entities, 1.05);
        // Ids in no order of frequency.
        var ids = Enumerable.Range(0, Entities).Select(i => (long)i).ToArray();
        random.Shuffle(ids);
        long Entity() => ids[isZipf ? zipf.Next(random) : random.Next(Entities)];
        WriteTable(directory, "events", Events, events, (batch, row, i) =>
        {
            batch.Columns[0].Set(row, Entity());
            batch.Columns[1].Set(row, Start + (long)((double)i / events * SpanUs));
            batch.Columns[2].Set(row, random.Next(4000) / 4.0);
        });
        WriteTable(directory, "spine", Spine, rows, (batch, row, i) =>
        {
            batch.Columns[0].Set(row, i);
            batch.Columns[1].Set(row, Entity());
            batch.Columns[2].Set(row, Start + (long)((i + random.NextDouble()) / rows * SpanUs));
        });
    }

    public static Catalog Catalog() => new(
        "bench",
        [
            new SourceDefinition
            {
                Name = "events",
                Topic = "events",
                AvroSchema = "{}",
                EventTimeField = "time",
                KeyFields = ["entity"],
                Schema = Events,
            },
        ],
        [new EntityDefinition("entity", ["entity"])],
        [View],
        [new ServiceDefinition { Name = Service, Features = [.. View.Features.Select(f => new FeatureReference(View.Name, f.Name))] }]);

    private static ViewDefinition View { get; } = new()
    {
        Name = "bench",
        Source = "events",
        Entity = "entity",
        KeyFields = ["entity"],
        Features = [.. from hours in new[] { 1, 24, 24 * 7 }
            from function in Functions
            let aggregation = new Aggregation(function, function == "count" ? null : "amount")
            let window = new TrailingWindow(TimeSpan.FromHours(hours))
            select new FeatureDefinition(FeatureNames.Of(aggregation, window), aggregation, window)],
    };

    private static void WriteTable(string directory, string name, EventSchema schema, long rows, Action<EventBatch, int, long> fill)
    {
        var path = Path.Combine(directory, name + ".arrow");
        using (var writer = new ArrowTableWriter(path, schema))
        {
            var batch = new EventBatch(schema, BatchRows);
            for (var i = 0L; i < rows; i++)
            {
                fill(batch, batch.Count++, i);
                if (batch.Count < BatchRows && i + 1 < rows)
                    continue;
                writer.Write(batch);
                batch.Clear();
            }

            writer.Commit();
        }

        using var stream = File.OpenRead(path);
        using var reader = new ArrowFileReader(stream);
        using var parquet = new FileWriter(Path.Combine(directory, name + ".parquet"), reader.Schema);
        while (reader.ReadNextRecordBatch() is { } records)
        {
            using (records)
                parquet.WriteBufferedRecordBatch(records);
        }

        parquet.Close();
    }
}
