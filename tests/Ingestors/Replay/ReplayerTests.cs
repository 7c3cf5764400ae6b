using System.Diagnostics;
using System.Globalization;
using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using StreamMl.Infrastructure.Embedded;
using StreamMl.Infrastructure.Kafka;
using StreamMl.Infrastructure.Registry;
using StreamMl.Ingestors.Replay;
using StreamMl.Shared.Definitions;
using StreamMl.Shared.Log;
using StreamMl.Shared.Store;
using StreamMl.Shared.Time;

namespace StreamMl.Ingestors.Tests.Replay;

public sealed class ReplayerTests(ITestOutputHelper output) : IAsyncLifetime
{
    private readonly TestFolder folder = new();
    private EmbeddedKafka kafka = null!;
    private EmbeddedRegistry registry = null!;

    public async ValueTask InitializeAsync() => (kafka, registry) = (EmbeddedKafka.Start(), await EmbeddedRegistry.StartAsync(cancellationToken: Cancel));

    public async ValueTask DisposeAsync()
    {
        await kafka.DisposeAsync();
        await registry.DisposeAsync();
        folder.Dispose();
    }

    [Fact]
    public async Task Run_GoodAndBadRows_AreAllInTheTopics()
    {
        WriteTaps(rows: 1000, badEvery: 10);
        var progress = (await RunAsync()).Sources[0];
        progress.ShouldBe(new SourceProgress("taps", 1000, 900, 100, 0, 0, 0));
        var records = Read("taps", 900);
        records.ShouldAllBe(r => r.Partition == KeyPartitioner.PartitionOf(Encoding.UTF8.GetBytes(r.Key!), 2));
        records.GroupBy(r => r.Partition).ShouldAllBe(g => g.Select(r => r.TimestampUs).SequenceEqual(g.Select(r => r.TimestampUs).Order()));
        records.Min(r => r.TimestampUs).ShouldBe(TimeGrid.FromDateTime(new DateTime(2013, 1, 1, 0, 0, 11, DateTimeKind.Utc)), "row 0 is bad, row 1 arrives ten seconds after second 1");
        var dead = Read("taps.dead-letter", 100);
        dead[3].Value.ShouldBe("c30,2013-01-01T00:00:30Z,many");
        dead[3].Headers["source"].ShouldBe("taps.csv:31");
        dead[3].Headers["reason"].ShouldContain("'many' is not a whole number");
    }

    [Fact]
    public async Task Run_AfterARunThatWasCutOff_SendsTheRestOnce()
    {
        WriteTaps(rows: 5000, badEvery: 50);
        using (var stop = new CancellationTokenSource())
        {
            // A pace that will not end: the run is cut off somewhere in its middle, with records under way.
            var running = RunAsync(o => o.Speed = 500, cancellationToken: stop.Token);
            await Eventually(() => HighOf("taps") > 100);
            await stop.CancelAsync();
            try
            {
                await running;
            }
            catch (OperationCanceledException)
            {
                // How it ends does not matter, only that the next run finds where it was.
            }
        }

        var progress = (await RunAsync()).Sources[0];
        progress.AlreadyThere.ShouldBeGreaterThan(100);
        (progress.Produced + progress.DeadLettered + progress.AlreadyThere).ShouldBe(5000);
        Read("taps", 4900).Select(r => r.Key).Order(StringComparer.Ordinal).ShouldBe(
            Enumerable.Range(0, 5000).Where(i => i % 50 != 0).Select(i => $"c{i}").Order(StringComparer.Ordinal));
        Read("taps.dead-letter", 100).Count.ShouldBe(100);
        (await RunAsync()).Sources[0].AlreadyThere.ShouldBe(5000, "a third run finds everything there");
    }

    [Fact]
    public async Task Run_FromAndUntil_SendsThatTimeOnly()
    {
        WriteTaps(rows: 100, badEvery: 1000);
        var start = TimeGrid.FromDateTime(new DateTime(2013, 1, 1, 0, 0, 0, DateTimeKind.Utc));
        var progress = (await RunAsync(o => (o.FromArrivalUs, o.UntilArrivalUs) = (start + 20_000_000, start + 30_000_000))).Sources[0];
        (progress.Produced, progress.OutsideTime).ShouldBe((10, 10));
        Read("taps", 10).Select(r => r.Key).ShouldBe(Enumerable.Range(10, 10).Select(i => $"c{i}"), ignoreOrder: true);
    }

    [Fact]
    public async Task Run_SchemaThatReadersCannotTake_IsRefused()
    {
        WriteTaps(rows: 10, badEvery: 1000);
        using var client = new SchemaRegistryClient(registry.Url);
        await client.RegisterAsync("taps-value", TestSources.TapsSchema.Replace("\"count\", \"type\": \"int\"", "\"count\", \"type\": \"string\"", StringComparison.Ordinal), Cancel);
        (await Should.ThrowAsync<RegistryException>(() => RunAsync())).ErrorCode.ShouldBe(409);
    }

    [Fact]
    public async Task Run_WithSlowReader_StaysWithinTheBound()
    {
        WriteTaps(rows: 300, badEvery: 100_000);
        using var store = new SlowReader(kafka);
        var bound = TimeSpan.FromSeconds(30);
        var status = await RunAsync(o => o.MaxAhead = bound, store);
        status.Sources[0].Produced.ShouldBe(300);
        status.GateWaits.ShouldBeGreaterThan(3);
        store.GreatestLeadUs.ShouldBeLessThanOrEqualTo(TimeGrid.ToMicros(bound));
    }

    [Fact]
    public async Task Run_AllFlights_IsFast()
    {
        var mapping = Path.Combine(TestSources.Root, "samples/flights/mapping.yaml");
        var catalog = new Catalog("flights", [.. new[] { "flight-schedules", "departures", "landings", "weather" }.Select(TestSources.Flights)], [], [], []);
        var started = Stopwatch.GetTimestamp();
        using var status = new ReplayStatus();
        using var client = new SchemaRegistryClient(registry.Url);
        await new Replayer(catalog, KafkaEndpoint.Of(kafka), null, client, new ReplayOptions { MappingPath = mapping, MaxAhead = null }, status, TimeProvider.System, NullLogger<Replayer>.Instance).RunAsync(Cancel);
        var total = status.Sources.Sum(s => s.Produced);
        total.ShouldBe(336_776 + 328_521 + 327_346 + 26_115);
        output.WriteLine($"{total:N0} records in {Stopwatch.GetElapsedTime(started).TotalSeconds:F2} s, {total / Stopwatch.GetElapsedTime(started).TotalSeconds:N0}/s");
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private void WriteTaps(int rows, int badEvery)
    {
        var text = new StringBuilder("card,at,count\n");
        for (var i = 0; i < rows; i++)
            text.Append(CultureInfo.InvariantCulture, $"c{i},{TimeGrid.Format(TimeGrid.FromDateTime(new DateTime(2013, 1, 1, 0, 0, 0, DateTimeKind.Utc)) + (i * 1_000_000L))},{(i % badEvery == 0 && badEvery <= rows ? "many" : i)}\n");
        folder.Write("taps.csv", text.ToString());
        folder.Write("mapping.yaml", "sources:\n  taps:\n    file: taps.csv\n    arrivalDelay: 10s\n");
    }

    private async Task<ReplayStatus> RunAsync(Action<ReplayOptions>? configure = null, IStateStore? store = null, CancellationToken? cancellationToken = null)
    {
        var options = new ReplayOptions { MappingPath = Path.Combine(folder.Path, "mapping.yaml"), MaxAhead = null };
        configure?.Invoke(options);
        using var client = new SchemaRegistryClient(registry.Url);
        using var status = new ReplayStatus();
        var view = new ViewDefinition { Name = "by_card", Source = "taps", Entity = "card", KeyFields = ["card"], Features = [new FeatureDefinition("count", new Aggregation("count"), new LifetimeWindow())] };
        var catalog = new Catalog("test", [TestSources.Taps], [new EntityDefinition("card", ["card"])], [view], []);
        await new Replayer(catalog, KafkaEndpoint.Of(kafka), store, client, options, status, TimeProvider.System, NullLogger<Replayer>.Instance).RunAsync(cancellationToken ?? Cancel);
        return status;
    }

    private long HighOf(string topic)
    {
        using var admin = new TopicAdmin(KafkaEndpoint.Of(kafka));
        return kafka.Topics.ContainsKey(topic) ? Enumerable.Range(0, 2).Sum(p => admin.OffsetsAsync(new PartitionId(topic, p), Cancel).Result.High) : 0;
    }

    private static Task Eventually(Func<bool> condition) => StreamMl.TestKit.Eventually.Until(condition, () => "the topic stayed short");

    private List<(int Partition, string? Key, string Value, long TimestampUs, Dictionary<string, string> Headers)> Read(string topic, int count)
    {
        using var source = new KafkaConsumerFactory(KafkaEndpoint.Of(kafka)).CreateManagedSource();
        source.Assign([.. Enumerable.Range(0, 2).Select(p => new PartitionStart(new PartitionId(topic, p), PartitionStart.Beginning))]);
        using var batch = new RawRecordBatch();
        var records = new List<(int, string?, string, long, Dictionary<string, string>)>();
        while (records.Count < count)
        {
            source.TryReadBatch(batch, TimeSpan.FromSeconds(20)).ShouldBeTrue($"{topic} has {records.Count} records of {count}");
            foreach (var run in batch.Runs)
            {
                for (var row = run.First; row < run.First + run.Count; row++)
                {
                    var headers = new Dictionary<string, string>(StringComparer.Ordinal);
                    foreach (var name in new[] { "reason", "source" })
                    {
                        if (batch.TryGetHeader(row, Encoding.UTF8.GetBytes(name), out var value))
                            headers[name] = Encoding.UTF8.GetString(value);
                    }

                    records.Add((run.Partition.Partition, batch.Records[row].HasKey ? Encoding.UTF8.GetString(batch.Key(row)) : null, Encoding.UTF8.GetString(batch.Value(row)), batch.Records[row].TimestampUs, headers));
                }
            }
        }

        return records;
    }

    /// <summary>A worker that takes a few records at every poll, and looks how far the topic is ahead of it.</summary>
    private sealed class SlowReader(EmbeddedKafka kafka) : IStateStore, IDisposable
    {
        private readonly long[] next = new long[2];
        private readonly List<long>[] arrivals = [[], []];
        private readonly RawRecordBatch batch = new();
        private IRecordSource? source;
        private int reads;

        public long GreatestLeadUs { get; private set; }

        public Task<CommitResult> CommitAsync(StoreCommit commit, CancellationToken cancellationToken) => throw new NotSupportedException();

        public Task<StoreValues> ReadAsync(PackedBytes keys, CancellationToken cancellationToken)
        {
            if (source is null)
            {
                source = new KafkaConsumerFactory(KafkaEndpoint.Of(kafka)).CreateManagedSource();
                source.Assign([.. Enumerable.Range(0, 2).Select(p => new PartitionStart(new PartitionId("taps", p), PartitionStart.Beginning))]);
            }

            while (source.TryReadBatch(batch, TimeSpan.FromMilliseconds(2)) && batch.Count > 0)
            {
                foreach (var run in batch.Runs)
                {
                    for (var row = run.First; row < run.First + run.Count; row++)
                        arrivals[run.Partition.Partition].Add(batch.Records[row].TimestampUs);
                }
            }

            var values = new StoreValues(keys.Count);
            for (var i = 0; i < keys.Count; i++)
            {
                var key = Encoding.UTF8.GetString(keys[i]);
                if (key.EndsWith("!source!pos", StringComparison.Ordinal))
                    Step(key.Contains("/0}", StringComparison.Ordinal) ? 0 : 1, values, i);
            }

            return Task.FromResult(values);
        }

        public void Dispose()
        {
            source?.Dispose();
            batch.Dispose();
        }

        private void Step(int partition, StoreValues values, int index)
        {
            var rows = arrivals[partition];
            if (next[partition] < rows.Count)
                GreatestLeadUs = Math.Max(GreatestLeadUs, arrivals.Where(a => a.Count > 0).Max(a => a[^1]) - rows[(int)Math.Max(next[partition] - 1, 0)]);
            // Slower than the replay, which asks more often the nearer it comes to the bound.
            if (++reads % 10 < 2)
                next[partition] = Math.Min(next[partition] + 1, rows.Count);
            if (next[partition] == 0)
                return;
            var clockUs = rows[(int)next[partition] - 1];
            var position = new PositionRecord(1, next[partition], clockUs, clockUs, 0, []).Encode();
            position.CopyTo(values.Allocate(index, position.Length));
        }
    }
}
