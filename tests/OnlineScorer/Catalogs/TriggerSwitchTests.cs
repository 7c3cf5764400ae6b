using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using StreamMl.Infrastructure.Archive;
using StreamMl.Infrastructure.Embedded;
using StreamMl.Infrastructure.Kafka;
using StreamMl.Infrastructure.Registry;
using StreamMl.OnlineScorer.Catalogs;
using StreamMl.OnlineScorer.Reading;
using StreamMl.OnlineScorer.Tests.Triggers;
using StreamMl.OnlineScorer.Triggers;
using StreamMl.Shared.Definitions;
using StreamMl.Shared.Events;
using StreamMl.Shared.Log;
using StreamMl.Shared.Store;
using StreamMl.TestKit;
using StreamMl.TestKit.Store;

namespace StreamMl.OnlineScorer.Tests.Catalogs;

/// <summary>Trigger events go on being served while the catalogue changes.</summary>
public sealed class TriggerSwitchTests : IDisposable
{
    private const int Events = 300;
    private readonly InMemoryStateStore store = new();
    private readonly string directory = Path.Combine(AppContext.BaseDirectory, "trigger-switch", Path.GetRandomFileName());

    [Fact]
    public async Task Switch_WhileEventsCome_EachIsServedOnceByOneOfTheTwo()
    {
        var stop = TestContext.Current.CancellationToken;
        var before = ServingLab.MakeCatalog();
        var after = before with { Views = [.. before.Views.Select(v => v with { AllowedLateness = TimeSpan.FromMinutes(30) })] };
        await using var kafka = EmbeddedKafka.Start();
        await using var registry = await EmbeddedRegistry.StartAsync(cancellationToken: stop);
        using var schemas = new SchemaRegistryClient(registry.Url);
        foreach (var catalog in new[] { before, after })
            await new ServingLab(store, catalog).CommitAsync();
        foreach (var topic in new[] { "trips", "schedules" })
            kafka.CreateTopic(topic, 3);
        using var host = Build(before, KafkaEndpoint.Of(kafka), schemas);
        await host.StartAsync(stop);
        await Schedules.ProduceAsync(KafkaEndpoint.Of(kafka), schemas, Events, stop);
        await Eventually.Until(async () => await ServedAsync() == Events, () => "not all served by the first");

        var change = ActivatorUtilities.CreateInstance<CatalogSwitch>(host.Services);
        var producing = Schedules.ProduceAsync(KafkaEndpoint.Of(kafka), schemas, Events, stop);
        (await change.TryAsync(after, stop)).ShouldBeNull();
        await producing;
        await Schedules.ProduceAsync(KafkaEndpoint.Of(kafka), schemas, Events, stop);
        await Eventually.Until(async () => await ServedAsync() == 3 * Events, () => "not all served by the second");
        await host.StopAsync(stop);

        // A file is of one definition, and a reader of one catalogue refuses the others.
        var (old, next) = (new List<(long, long)>(), new List<(long, long)>());
        foreach (var file in Directory.GetFiles(directory, "*.arrow", SearchOption.AllDirectories))
        {
            var alone = Path.Combine(directory, "alone", Path.GetFileName(file));
            Directory.CreateDirectory(Path.Combine(alone, "served", "everything"));
            File.Move(file, Path.Combine(alone, "served", "everything", Path.GetFileName(file)));
            if (TryReadIds(alone, before, old))
                continue;
            TryReadIds(alone, after, next).ShouldBeTrue(file);
        }

        old.Count.ShouldBeGreaterThanOrEqualTo(Events);
        next.Count.ShouldBeGreaterThanOrEqualTo(Events);
        old.Concat(next).Distinct().Count().ShouldBe(3 * Events);
        (old.Count + next.Count).ShouldBe(3 * Events);
    }

    public void Dispose()
    {
        if (Directory.Exists(directory))
            Directory.Delete(directory, recursive: true);
    }

    private IHost Build(Catalog catalog, KafkaEndpoint kafka, SchemaRegistryClient schemas)
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Logging.SetMinimumLevel(LogLevel.None);
        builder.Services.AddSingleton(catalog).AddSingleton<IStateStore>(store).AddSingleton(kafka).AddSingleton(schemas);
        builder.Services.AddTriggerServing(o =>
        {
            (o.Directory, o.MaxBatch, o.MaxWaitMs) = (directory, 64, 0);
        });
        return builder.Build();
    }

    private async Task<long> ServedAsync()
    {
        using var values = await store.ReadAsync(Enumerable.Range(0, 3).Select(p => LogNames.ServicePositionKey(new PartitionId("schedules", p), "everything")), TestContext.Current.CancellationToken);
        return Enumerable.Range(0, 3).Sum(p => values.Has(p) ? PositionRecord.Decode(values[p]).NextOffset : 0);
    }

    private static bool TryReadIds(string directory, Catalog catalog, List<(long Partition, long Offset)> into)
    {
        var service = ServedService.Compile(catalog, catalog.Service("everything"));
        using var reader = new ServedVectorReader(directory, ServedVectorSink.SchemaOf(service));
        var batch = new EventBatch(reader.Table);
        try
        {
            while (reader.Read(batch, 100))
            {
                for (var i = 0; i < batch.Count; i++)
                    into.Add((batch.Columns[1].Lanes[i], batch.Columns[2].Lanes[i]));
            }

            return true;
        }
        catch (InvalidDataException)
        {
            return false;
        }
    }
}
