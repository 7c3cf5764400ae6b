using System.Text;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using StreamMl.Cli.Explaining;
using StreamMl.Cli.Hosting;
using StreamMl.FeatureEngine.Services;
using StreamMl.Infrastructure.Archive;
using StreamMl.Infrastructure.Avro;
using StreamMl.Infrastructure.Hosting;
using StreamMl.Infrastructure.Kafka;
using StreamMl.Infrastructure.Models;
using StreamMl.Infrastructure.Predictions;
using StreamMl.Ingestors.Archiving;
using StreamMl.ModelEngine;
using StreamMl.ModelEngine.Scoring;
using StreamMl.ModelEngine.Steps;
using StreamMl.ModelEngine.Trees;
using StreamMl.OnlineScorer;
using StreamMl.OnlineScorer.Scoring;
using StreamMl.Shared.Definitions;
using StreamMl.Shared.Events;
using StreamMl.Shared.Log;
using StreamMl.Shared.Models;
using StreamMl.StreamFeatures;

namespace StreamMl.Cli.Tests.Explaining;

/// <summary>Trips, schedules and a model of them, with every worker on embedded servers as `streamml up` runs them.</summary>
internal sealed class ScoringWorld : IAsyncDisposable
{
    public const long StartUs = 1_600_000_000_000_000;
    private const int Partitions = 2;

    private const string Avro = """
        {"type":"record","name":"Trip","namespace":"lab","fields":[
          {"name":"at","type":{"type":"long","logicalType":"timestamp-micros"}},{"name":"origin","type":"string"},
          {"name":"distance","type":"long"},{"name":"delay","type":["null","double"],"default":null}]}
        """;

    private readonly Installation installation;

    private ScoringWorld(Installation installation, string directory)
    {
        this.installation = installation;
        Directory = directory;
        Models = ModelStore.In(directory, TimeProvider.System);
        Archive = new ArchiveLayout(installation.Options.ArchiveDirectory);
    }

    public string Directory { get; }

    public ModelStore Models { get; }

    public ArchiveLayout Archive { get; }

    public Catalog Catalog { get; } = MakeCatalog();

    public static async Task<ScoringWorld> StartAsync()
    {
        var directory = System.IO.Directory.CreateDirectory(Path.Combine(AppContext.BaseDirectory, "worlds", Path.GetRandomFileName())).FullName;
        var world = new ScoringWorld(await Installation.StartAsync(new InstallationOptions { Directory = directory }, TestContext.Current.CancellationToken), directory);
        using var admin = new TopicAdmin(world.installation.Kafka);
        foreach (var topic in new[] { "trips", "schedules" })
            await admin.EnsureTopicAsync(topic, Partitions, TestContext.Current.CancellationToken);
        return world;
    }

    /// <summary>The workers of one life.</summary>
    public IHost Build() => WorkerRunner.Build(
        installation, Catalog, services =>
        {
            services.AddArchiver();
            services.Configure<ArchiverOptions>(o =>
            {
                (o.Directory, o.RollIdleMs) = (Archive.Directory, 100);
                Scoring.ArchivePredictions(o, Catalog, ScoringPolicies.None);
            });
            services.AddStreamFeatures();
            Scoring.Add(services, Directory, ScoringPolicies.None);
            services.AddTriggerServing(o => (o.Directory, o.MaxBatch, o.FlushMs) = (Directory, 16, 200));
        },
        LogLevel.None);

    /// <summary>Trips, then as many schedules, each a second after the one before.</summary>
    public async Task SendAsync(int from, int count)
    {
        var stop = TestContext.Current.CancellationToken;
        var encoder = new AvroEncoder(Avro);
        await using var producer = new KafkaProducerFactory(installation.Kafka).Create();
        foreach (var topic in new[] { "trips", "schedules" })
        {
            var id = await installation.Registry.RegisterAsync($"{topic}-value", Avro, stop);
            for (var i = from; i < from + count; i++)
            {
                var values = encoder.NewValues();
                var atUs = StartUs + (i * 1_000_000L);
                encoder.TrySet(0, atUs, values, out var error).ShouldBeTrue(error);
                encoder.TrySet(1, $"A{i % 7}", values, out error).ShouldBeTrue(error);
                encoder.TrySet(2, 100L + i, values, out error).ShouldBeTrue(error);
                encoder.TrySet(3, i % 3 == 0 ? null : (i % 11) * 1.5, values, out error).ShouldBeTrue(error);
                var output = new System.Buffers.ArrayBufferWriter<byte>();
                encoder.TryWrite(values, id, output, out error).ShouldBeTrue(error);
                await producer.SendAsync(topic, Encoding.UTF8.GetBytes($"A{i % 7}"), output.WrittenSpan.ToArray(), atUs, null, stop);
            }

            await producer.FlushAsync(stop);
        }
    }

    public async Task<ModelVersion> PromoteAsync(double bias)
    {
        ModelInput[] inputs = [new("origin.count_1h", FieldType.Int64, InputOrigin.Stored), new("origin.mean_delay_1h", FieldType.Float64, InputOrigin.Stored), new("distance", FieldType.Int64, InputOrigin.Request)];
        var pipeline = new PipelineDocument(inputs, [], [.. inputs.Select(i => new Slot(i.Name, [i.Name], 0))]);
        var first = new DecisionTree([0, 1, 2], [4.5f, 5.5f, 120.5f], [true, true, false], [1, ~0, ~2], [2, ~1, ~3], [], [-0.4, 0.3, 0.1, 0.9], [10, 12, 8, 5]);
        var second = new DecisionTree([1, 2], [7.25f, 140f], [false, true], [~0, ~1], [1, ~2], [], [-0.2, 0.25, 0.6], [15, 11, 9]);
        var document = ModelDocument.Create(ModelTask.Binary, pipeline, new TreePredictor(new TreeEnsemble(bias, 1, [first, second])), ModelLink.Sigmoid, ["no", "yes"], 0.55);
        using var draft = Models.Begin(new ModelManifest
        {
            Name = "late",
            Task = "Binary",
            Service = "delay",
            ServiceHash = ServiceProgram.Compile(Catalog, Catalog.Service("delay")).Hash,
            Inputs = [.. inputs.Select(i => new ModelInputColumn(i.Name, i.Type.ToString(), i.Origin.ToString()))],
            Label = null,
            Lineage = new ModelLineage { TrainingManifestHash = null, RunId = null, GitCommit = null, Seed = null, Config = null },
        });
        draft.Write(ModelFiles.Model, document.Write());
        Golden(document).Save(draft.PathOf(ModelFiles.Golden));
        var version = await Models.PublishAsync(draft, cancellationToken: TestContext.Current.CancellationToken);
        await Models.MoveAliasAsync(version, ModelNames.Champion, cancellationToken: TestContext.Current.CancellationToken);
        return version;
    }

    /// <summary>Every prediction in the archive, with its bytes, partition by partition.</summary>
    public IReadOnlyList<(Prediction Prediction, byte[] Value)> Predictions()
    {
        var found = new List<(Prediction, byte[])>();
        for (var p = 0; p < Partitions; p++)
        {
            foreach (var chunk in new ArchivePartitionReader(Archive, new PartitionId(PredictionSchema.TopicOf("delay"), p)).Read())
            {
                for (var i = 0; i < chunk.Count; i++)
                {
                    var value = chunk.Value(i).ToArray();
                    ConfluentWire.TryReadSchemaId(value, out var id, out _).ShouldBeTrue();
                    found.Add((new PredictionReader(Archive.LoadSchema(id)).Read(value), value));
                }

                chunk.Dispose();
            }
        }

        return found;
    }

    public PredictionExplainer Explainer() => new(Catalog, Models, Archive, new PredictionFinder(Archive, null, null), ScoringPolicies.None);

    public async ValueTask DisposeAsync()
    {
        await installation.DisposeAsync();
        System.IO.Directory.Delete(Directory, recursive: true);
    }

    private static GoldenRows Golden(ModelDocument document)
    {
        var code = new EngineModels().Load(document.Write());
        var rows = new EventBatch(new EventSchema("inputs", [.. code.Inputs.Select(i => new EventField(i.Name, i.Type, Nullable: true))]));
        for (var row = 0; row < 5; row++)
        {
            rows.NextRow();
            rows.Columns[0].Set(row, (long)row * 2);
            rows.Columns[1].Set(row, row * 2.5);
            rows.Columns[2].Set(row, 100L + (row * 15));
            rows.Count++;
        }

        var scores = new double[rows.Count];
        ModelLoader.ScoreTable(code, rows, scores);
        return new GoldenRows(rows, scores);
    }

    private static Catalog MakeCatalog()
    {
        var source = new SourceDefinition
        {
            Name = "trips",
            Topic = "trips",
            AvroSchema = Avro,
            Schema = AvroSchemaReader.ReadEventSchema(Avro),
            EventTimeField = "at",
            KeyFields = ["origin"],
            Partitions = Partitions,
        };
        TrailingWindow hour = new(TimeSpan.FromHours(1));
        var view = new ViewDefinition
        {
            Name = "origin",
            Source = "trips",
            Entity = "origin",
            KeyFields = ["origin"],
            Features = [new("count_1h", new("count"), hour), new("mean_delay_1h", new("mean", "delay"), hour)],
        };
        var service = new ServiceDefinition { Name = "delay", Trigger = "schedules", Features = [.. view.Features.Select(f => new FeatureReference("origin", f.Name))] };
        return new Catalog("lab", [source, source with { Name = "schedules", Topic = "schedules" }], [new("origin", ["origin"])], [view], [service]);
    }
}
