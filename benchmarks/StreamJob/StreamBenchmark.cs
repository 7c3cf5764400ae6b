using Microsoft.Extensions.Logging.Abstractions;
using StackExchange.Redis;
using StreamMl.Benchmarks.Decode;
using StreamMl.Infrastructure.Kafka;
using StreamMl.Infrastructure.Store;
using StreamMl.Shared.Definitions;
using StreamMl.StreamFeatures;
using StreamMl.StreamFeatures.Logs;
using StreamMl.StreamFeatures.Outgoing;

namespace StreamMl.Benchmarks.StreamJob;

/// <summary>
/// Our job on the peers' topic: consumer group, gate, decode, five windows of five aggregates, one atomic commit of states and position per
/// partition micro-batch. <c>stream BOOTSTRAP COUNT REDIS</c> prints the peers' line of JSON; <c>run.sh</c> runs them all.
/// </summary>
internal static class StreamBenchmark
{
    public const string Topic = "bench-events";
    public const int Partitions = 4;

    public static Catalog Catalog { get; } = new(
        "bench", [BenchEvents.Source with { Name = "bench", Topic = Topic, Partitions = Partitions }], [new("entity", ["entity"])], [View()], []);

    public static int Run(string[] args)
    {
        if (args.Length < 3)
        {
            Console.Error.WriteLine("stream BOOTSTRAP COUNT REDIS [managed] | stream verify BOOTSTRAP COUNT REDIS | stream consume BOOTSTRAP COUNT [managed]");
            return 2;
        }

        return args[0] switch
        {
            "verify" => StreamVerification.RunAsync(args[1], long.Parse(args[2]), args[3]).GetAwaiter().GetResult(),
            "consume" => ConsumeOnly.Run(args[1], long.Parse(args[2]), args.Contains("managed")),
            _ => RunAsync(args[0], long.Parse(args[1]), args[2], args.Contains("managed")).GetAwaiter().GetResult(),
        };
    }

    private static async Task<int> RunAsync(string bootstrap, long count, string redis, bool managed)
    {
        var kafka = KafkaEndpoint.Of(bootstrap);
        using var connection = await ConnectionMultiplexer.ConnectAsync(redis);
        var factory = new KafkaConsumerFactory(kafka);
        var sourceOptions = SourceOptions($"streamml.bench.{Environment.ProcessId}");
        using var source = managed ? factory.CreateManagedSource(sourceOptions) : factory.CreateSource(sourceOptions);
        await using var producer = new KafkaProducerFactory(kafka).Create();
        using var metrics = new StreamMetrics();
        using var meter = new RateMeter("streamml", StreamMetrics.MeterName, "streamml.features.records.read", count);
        var topics = LogPlan.Of(Catalog).SelectMany(p => new[] { p.Topic, $"{p.Topic}.dead-letter" }).ToDictionary(t => t, _ => Partitions, StringComparer.Ordinal);
        using var runner = new LogRunner(
            LogPlan.Of(Catalog), source, new RedisStateStore(connection), new KafkaRecordSink(producer, topics),
            (_, _) => ValueTask.FromResult(BenchEvents.Schema), metrics, new StreamFeaturesOptions(), TimeProvider.System, NullLoggerFactory.Instance);
        using var stop = new CancellationTokenSource();
        var run = runner.RunAsync(stop.Token);
        meter.Start();
        await Task.WhenAny(run, meter.Done);
        await stop.CancelAsync();
        await run; // drains: the last commit is in the store
        Console.WriteLine(meter.Report());
        return meter.Done.IsCompletedSuccessfully ? 0 : 1;
    }

    public static RecordSourceOptions SourceOptions(string group) => new()
    {
        GroupId = group,
        UseConsumerProtocol = true,
        QueueMaxBytes = 64 << 20,
        ReadHeaders = false,
    };

    private static ViewDefinition View()
    {
        Aggregation[] aggregations = [new("count"), new("sum", "amount"), new("mean", "amount"), new("min", "amount"), new("max", "amount")];
        (string Label, TimeSpan Length)[] windows =
        [
            ("30m", TimeSpan.FromMinutes(30)), ("1h", TimeSpan.FromHours(1)), ("6h", TimeSpan.FromHours(6)), ("24h", TimeSpan.FromHours(24)), ("7d", TimeSpan.FromDays(7)),
        ];
        return new ViewDefinition
        {
            Name = "entity_amounts",
            Source = "bench",
            Entity = "entity",
            KeyFields = ["entity"],
            Features = [.. windows.SelectMany(w => aggregations.Select(a => new FeatureDefinition($"{a.Function}_{w.Label}", a, new TrailingWindow(w.Length))))],
        };
    }
}
