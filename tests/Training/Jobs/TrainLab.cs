using StreamMl.Infrastructure.Tables;
using StreamMl.Infrastructure.TrainingSets;
using StreamMl.Shared.Events;
using StreamMl.Training.Configuration;
using StreamMl.Training.Data;

namespace StreamMl.Training.Tests.Jobs;

/// <summary>A made-up training set in two files: a signal with gaps, a key, a time, labels of every task that depend on them, known an hour after the row.</summary>
internal sealed class TrainLab : IDisposable
{
    public const long StartUs = 1_356_998_400_000_000;
    public const long StepUs = 600_000_000;
    public const long LabelDelayUs = 3_600_000_000;

    private static readonly (string Name, FieldType Type, string Role)[] Columns =
    [
        ("event_time", FieldType.Timestamp, ColumnRoles.Time),
        ("shop", FieldType.String, ColumnRoles.Key),
        ("size", FieldType.Int64, ColumnRoles.Carried),
        ("view.mean", FieldType.Float64, ColumnRoles.Feature),
        ("view.flag", FieldType.Boolean, ColumnRoles.Feature),
        ("hit", FieldType.Boolean, ColumnRoles.Label),
        ("hit_known_at", FieldType.Timestamp, ColumnRoles.LabelTime),
        ("grade", FieldType.String, ColumnRoles.Carried),
        ("amount", FieldType.Float64, ColumnRoles.Carried),
    ];

    private readonly EventBatch batch;

    public TrainLab(int rows = 3_000, int seed = 7)
    {
        var random = new Random(seed);
        batch = new EventBatch(new EventSchema("lab", [.. Columns.Select(c => new EventField(c.Name, c.Type, Nullable: true))]), rows);
        for (var i = 0; i < rows; i++)
        {
            var (shop, signal, flag) = (random.Next(6), random.NextDouble(), random.Next(2) == 1);
            var strength = (4 * signal) - 2 + (shop - 2.5) + (flag ? 0.5 : -0.5);
            long[] lanes =
            [
                StartUs + (i * StepUs), batch.Arena.Append("s" + shop), random.Next(100), BitConverter.DoubleToInt64Bits(signal), flag ? 1 : 0,
                random.NextDouble() < 1 / (1 + Math.Exp(-strength)) ? 1 : 0, StartUs + (i * StepUs) + LabelDelayUs,
                batch.Arena.Append(strength + random.NextDouble() > 1 ? "high" : strength + random.NextDouble() > -1 ? "mid" : "low"),
                BitConverter.DoubleToInt64Bits(10 + (3 * strength) + random.NextDouble()),
            ];
            for (var c = 0; c < lanes.Length; c++)
                batch.Columns[c].Set(i, lanes[c]);
            if (random.Next(10) == 0)
                batch.Columns[3].SetNull(i);
        }

        batch.Count = rows;
        Write();
    }

    public string Directory { get; } = System.IO.Directory.CreateTempSubdirectory("streamml-").FullName;

    public EventBatch Rows => batch;

    public TrainingSet Open() => TrainingSet.Open(Path.Combine(Directory, "training"));

    /// <summary>A configuration from what differs from a small LightGBM.</summary>
    public static TrainConfig Config(string yaml)
    {
        var text = "features: { exclude: [grade, amount, event_time] }\nsteps: [{ kind: categorical, columns: [shop] }]\n" + (yaml.Contains("trainer:", StringComparison.Ordinal) ? "" : "trainer: { kind: lightgbm, trees: 20, leaves: 7 }\n") + yaml;
        var (config, diagnostics) = TrainConfigFile.Parse(text, "train.yaml");
        return config ?? throw new InvalidOperationException(string.Join('\n', diagnostics));
    }

    /// <summary>The same for a linear trainer, whose slots are scaled and complete.</summary>
    public static TrainConfig Linear(string yaml)
    {
        var (config, diagnostics) = TrainConfigFile.Parse(
            "features: { exclude: [grade, amount, event_time] }\nsteps: [{ kind: one_hot, columns: [shop] }, { kind: impute, columns: [view.mean] }, { kind: standard, columns: [size] }]\n" + yaml, "train.yaml");
        return config ?? throw new InvalidOperationException(string.Join('\n', diagnostics));
    }

    public void Dispose() => System.IO.Directory.Delete(Directory, recursive: true);

    private void Write()
    {
        var folder = Path.Combine(Directory, "training");
        System.IO.Directory.CreateDirectory(folder);
        var files = new List<ManifestFile>();
        var half = batch.Count / 3;
        foreach (var (from, count) in new[] { (0, half), (half, batch.Count - half) })
        {
            var part = new EventBatch(batch.Schema, count);
            part.Arena.Append(batch.Arena.Written);
            for (var c = 0; c < batch.Columns.Count; c++)
            {
                batch.Columns[c].Lanes.AsSpan(from, count).CopyTo(part.Columns[c].Lanes);
                batch.Columns[c].Valid.AsSpan(from, count).CopyTo(part.Columns[c].Valid);
            }

            part.Count = count;
            var path = Path.Combine(folder, $"part-{files.Count:D5}.arrow");
            using (var writer = new ArrowTableWriter(path, batch.Schema))
            {
                writer.Write(part);
                writer.Commit();
            }

            files.Add(new ManifestFile(Path.GetFileName(path), count, new FileInfo(path).Length, Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(File.ReadAllBytes(path)))));
        }

        var manifest = new TrainingManifest
        {
            Service = "shops",
            ServiceHash = "hash",
            ViewHashes = new Dictionary<string, string>(StringComparer.Ordinal),
            Mode = "arrival-time",
            Delay = "0s",
            ServingDelay = "0s",
            Spine = "events of visits",
            Label = "hit: x from y on z",
            UsesServedPrefixes = false,
            Rows = batch.Count,
            LeftOut = new Dictionary<string, long>(StringComparer.Ordinal),
            Logs = [],
            Columns = [.. Columns.Select(c => new ManifestColumn(c.Name, c.Type.ToString(), c.Role))],
            Files = files,
        };
        File.WriteAllBytes(Path.Combine(folder, TrainingManifest.FileName), manifest.ToJson());
    }
}
