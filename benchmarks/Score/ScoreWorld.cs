using System.Buffers;
using Microsoft.Extensions.Logging.Abstractions;
using StackExchange.Redis;
using StreamMl.Benchmarks.Kernel;
using StreamMl.Benchmarks.Read;
using StreamMl.Infrastructure.Avro;
using StreamMl.Infrastructure.Kafka;
using StreamMl.Infrastructure.Models;
using StreamMl.ModelEngine;
using StreamMl.ModelEngine.Steps;
using StreamMl.OnlineScorer.Scoring;
using StreamMl.Shared.Definitions;
using StreamMl.Shared.Events;
using StreamMl.Shared.Log;
using StreamMl.Shared.Models;

namespace StreamMl.Benchmarks.Score;

/// <summary>One view of 20 features for 50,000 entities in a real Redis, a model of 100 trees with 31 leaves over them and two fields of the event, and events.</summary>
internal sealed class ScoreWorld : IDisposable
{
    public const int Partitions = 2;

    public const string Avro = """
        {"type":"record","name":"Ask","namespace":"bench","fields":[
          {"name":"at","type":{"type":"long","logicalType":"timestamp-micros"}},{"name":"k","type":"string"},{"name":"c","type":"double"},{"name":"d","type":"double"}]}
        """;

    private readonly string directory = Directory.CreateTempSubdirectory("streamml-bench-").FullName;

    private ScoreWorld(ReadWorld read, SourceDefinition trigger) => (Read, Trigger) = (read, trigger);

    public ReadWorld Read { get; }

    public SourceDefinition Trigger { get; }

    public ModelHost Host { get; private set; } = null!;

    public LoadedModel Model => Host.Serving[0].Model;

    public static async Task<ScoreWorld> MakeAsync(IConnectionMultiplexer redis, string topic = "asks")
    {
        var trigger = new SourceDefinition { Name = "asks", Topic = topic, AvroSchema = Avro, Schema = AvroSchemaReader.ReadEventSchema(Avro), EventTimeField = "at", KeyFields = ["k"], Partitions = Partitions };
        var world = new ScoreWorld(await ReadWorld.FillAsync(redis, 20, ["landed"], trigger), trigger);
        await world.LoadAsync();
        return world;
    }

    /// <summary>Events in Avro, round after round of the same 65,536.</summary>
    public static byte[][] Events(int schemaId)
    {
        var encoder = new AvroEncoder(Avro);
        var random = new Random(7);
        var values = encoder.NewValues();
        return [.. Enumerable.Range(0, 65_536).Select(_ =>
        {
            values.Clear();
            encoder.TrySet(0, ReadWorld.AsOfUs, values, out var _);
            encoder.TrySet(1, ReadWorld.Key(random.Next(ReadWorld.Entities)), values, out var _);
            encoder.TrySet(2, random.NextDouble() * 10, values, out var _);
            encoder.TrySet(3, random.NextDouble() * 10, values, out var _);
            var output = new ArrayBufferWriter<byte>();
            return encoder.TryWrite(values, schemaId, output, out var error) ? output.WrittenSpan.ToArray() : throw new InvalidOperationException(error);
        })];
    }

    public static async Task ProduceAsync(RecordProducer producer, string topic, byte[][] events, int count)
    {
        for (var i = 0; i < count; i++)
            await producer.SendAsync(new PartitionId(topic, i % Partitions), null, events[i & 65_535], ReadWorld.AsOfUs, null, CancellationToken.None);
        await producer.FlushAsync(CancellationToken.None);
    }

    public void Dispose()
    {
        Host.Dispose();
        Directory.Delete(directory, recursive: true);
    }

    private async Task LoadAsync()
    {
        var store = new ModelStore(directory, TimeProvider.System);
        var columns = Read.Service.Program.Columns;
        ModelInput[] inputs = [.. columns.Select(c => new ModelInput(c.FullName, c.Type, InputOrigin.Stored)), new("c", FieldType.Float64, InputOrigin.Request), new("d", FieldType.Float64, InputOrigin.Request)];
        var trained = KernelModel.Train(60_000, categories: false, seed: 1).Document;
        var document = trained with { Pipeline = new PipelineDocument(inputs, [], [.. inputs.Select(i => new Slot(i.Name, [i.Name], 0))]) };
        using var draft = store.Begin(new ModelManifest
        {
            Name = "bench",
            Task = "Binary",
            Service = "bench",
            ServiceHash = Read.Service.Program.Hash,
            Inputs = [.. inputs.Select(i => new ModelInputColumn(i.Name, i.Type.ToString(), i.Origin.ToString()))],
            Label = null,
            Lineage = new ModelLineage { TrainingManifestHash = null, RunId = null, GitCommit = null, Seed = null, Config = null },
        });
        draft.Write(ModelFiles.Model, document.Write());
        var golden = new EventBatch(new EventSchema("inputs", [.. inputs.Select(i => new EventField(i.Name, i.Type, Nullable: true))]), 1);
        new GoldenRows(golden, []).Save(draft.PathOf(ModelFiles.Golden));
        await store.MoveAliasAsync(await store.PublishAsync(draft), ModelNames.Champion);
        Host = new ModelHost(store, new ModelLoader(Read.Catalog, store, new EngineModels()), new ScoringOptions(), NullLogger<ModelHost>.Instance);
        await Host.RefreshAsync(CancellationToken.None);
        if (Host.Refused.Count > 0)
            throw new InvalidOperationException(Host.Refused[0].Reason);
    }
}
