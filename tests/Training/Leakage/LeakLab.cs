using StreamMl.Infrastructure.Tables;
using StreamMl.Infrastructure.TrainingSets;
using StreamMl.Shared.Definitions;
using StreamMl.Shared.Events;
using StreamMl.Training.Leakage;

namespace StreamMl.Training.Tests.Leakage;

/// <summary>
/// An honest training set, made up: entities whose trouble comes and goes, labels that are known an hour later, and features that know only what had arrived. Rows can be
/// changed before it is written, to plant a fault.
/// </summary>
internal sealed class LeakLab : IDisposable
{
    public const int Entities = 20;
    private static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private readonly string directory = Directory.CreateTempSubdirectory("streamml-").FullName;

    public LeakLab(int rows = 24_000)
    {
        var random = new Random(5);
        var trouble = new double[Entities];
        var history = Enumerable.Range(0, Entities).Select(_ => new List<(DateTimeOffset Known, bool Label)>()).ToArray();
        for (var i = 0; i < rows; i++)
        {
            var entity = i % Entities;
            trouble[entity] = (0.98 * trouble[entity]) + (0.2 * Normal(random));
            var time = Start.AddMinutes(i * 0.5);
            var plane = random.Next(400);
            var label = random.NextDouble() < 1 / (1 + Math.Exp(1.2 - (1.2 * trouble[entity])));
            var known = history[entity].Where(h => h.Known <= time).TakeLast(10).ToList();
            Rows.Add(new Row
            {
                Time = time,
                Known = time.AddMinutes(60 + random.Next(30)),
                Entity = "E" + entity,
                Plane = "N" + plane,
                Label = label,
                Rate = known.Count == 0 ? null : known.Average(h => h.Label ? 1.0 : 0.0),
                Weather = trouble[entity] + Normal(random),
                Distance = 200 + random.Next(2_000),
                Noise = random.NextDouble() < 0.1 ? null : Normal(random),
            });
            history[entity].Add((Rows[^1].Known, label));
        }
    }

    public List<Row> Rows { get; } = [];

    public Random Random { get; } = new(11);

    public string Mode { get; set; } = "arrival-time";

    public string Delay { get; set; } = "0s";

    /// <summary>Where each log came from: archive, or history for a plain file.</summary>
    public Dictionary<string, string> Origins { get; } = new(StringComparer.Ordinal) { ["starts"] = "archive", ["ends"] = "archive", ["ends.by.plane"] = "archive" };

    /// <summary>Views over the logs, of which the label's is "ends".</summary>
    public Catalog Catalog { get; } = new(
        "lab", [], [], [View("started", "starts"), View("ended", "ends")], []);

    public LeakReport Check(LeakSplit? split = null, FittedModel? model = null, params string[] skip)
    {
        Write();
        return LeakChecker.Run(new LeakRequest { Data = directory, Split = split ?? new LeakSplit(), Model = model, Catalog = Catalog, Skip = skip });
    }

    public static double Normal(Random random) => Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());

    public string Write()
    {
        (string Name, FieldType Type, string Role)[] columns =
        [
            ("event_time", FieldType.Timestamp, ColumnRoles.Time), ("origin", FieldType.String, ColumnRoles.Key), ("plane", FieldType.String, ColumnRoles.Key), ("distance", FieldType.Int64, ColumnRoles.Carried),
            ("part", FieldType.String, ColumnRoles.Carried), ("late", FieldType.Boolean, ColumnRoles.Label), ("late_known_at", FieldType.Timestamp, ColumnRoles.LabelTime),
            ("origin.rate", FieldType.Float64, ColumnRoles.Feature), ("weather.wind", FieldType.Float64, ColumnRoles.Feature), ("plane.noise", FieldType.Float64, ColumnRoles.Feature), ("origin.extra", FieldType.Float64, ColumnRoles.Feature),
            ("started.count_30m", FieldType.Int64, ColumnRoles.Feature), ("ended.count_30m", FieldType.Int64, ColumnRoles.Feature),
        ];
        var schema = new EventSchema("set", [.. columns.Select(c => new EventField(c.Name, c.Type, true))]);
        var batch = new EventBatch(schema, Rows.Count);
        foreach (var row in Rows)
            Fill(batch, row);
        using var writer = new ArrowTableWriter(Path.Combine(directory, "part-00000.arrow"), schema);
        writer.Write(batch);
        writer.Commit();
        var file = File.ReadAllBytes(Path.Combine(directory, "part-00000.arrow"));
        var manifest = new TrainingManifest
        {
            Service = "arrival_delay",
            ServiceHash = "5e1f",
            ViewHashes = new Dictionary<string, string>(),
            Mode = Mode,
            Delay = Delay,
            ServingDelay = "0s",
            Spine = "events of flight-schedules",
            Label = "late: delay > 15 from ends on id",
            UsesServedPrefixes = false,
            Rows = Rows.Count,
            LeftOut = new Dictionary<string, long>(),
            Logs = [.. Origins.Select(o => new ManifestLog(o.Key, o.Value, [Rows.Count]))],
            Columns = [.. columns.Select(c => new ManifestColumn(c.Name, c.Type.ToString(), c.Role))],
            Files = [new ManifestFile("part-00000.arrow", Rows.Count, file.Length, Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(file)))],
        };
        File.WriteAllBytes(Path.Combine(directory, TrainingManifest.FileName), manifest.ToJson());
        return directory;
    }

    public void Dispose() => Directory.Delete(directory, recursive: true);

    private static ViewDefinition View(string name, string source) => new()
    {
        Name = name,
        Source = source,
        Entity = "origin",
        KeyFields = ["origin"],
        Features = [new FeatureDefinition("count_30m", new Aggregation(AggregationNames.Count), new TrailingWindow(TimeSpan.FromMinutes(30)))],
    };

    private static void Fill(EventBatch batch, Row row)
    {
        var at = batch.Count++;
        Time("event_time", row.Time);
        Text("origin", row.Entity);
        Text("plane", row.Plane);
        batch.Column("distance").Set(at, (long)row.Distance);
        Text("part", row.Part);
        batch.Column("late").Set(at, row.Label ? 1L : 0L);
        Time("late_known_at", row.Known);
        Number("origin.rate", row.Rate);
        Number("weather.wind", row.Weather);
        Number("plane.noise", row.Noise);
        Number("origin.extra", row.Extra);
        batch.Column("started.count_30m").Set(at, row.Started);
        batch.Column("ended.count_30m").Set(at, row.Ended);

        void Time(string name, DateTimeOffset time) => batch.Column(name).Set(at, (time.UtcTicks - DateTimeOffset.UnixEpoch.UtcTicks) / 10);
        void Text(string name, string text) => batch.Column(name).Set(at, batch.Arena.Append(text));
        void Number(string name, double? value)
        {
            if (value is { } number)
                batch.Column(name).Set(at, number);
            else
                batch.Column(name).SetNull(at);
        }
    }

    internal sealed record Row
    {
        public required DateTimeOffset Time { get; set; }

        public required DateTimeOffset Known { get; set; }

        public required string Entity { get; set; }

        public required string Plane { get; set; }

        public required bool Label { get; set; }

        public double? Rate { get; set; }

        public double? Weather { get; set; }

        public int Distance { get; set; }

        public double? Noise { get; set; }

        /// <summary>For what a test plants.</summary>
        public double? Extra { get; set; } = 0;

        public string Part { get; set; } = "train";

        /// <summary>Started and ended in the entity's last half hour.</summary>
        public long Started { get; set; }

        public long Ended { get; set; }
    }
}
