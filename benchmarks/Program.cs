using StreamMl.Benchmarks.Backfill;
using StreamMl.Benchmarks.Decode;
using StreamMl.Benchmarks.Kafka;
using StreamMl.Benchmarks.Kernel;
using StreamMl.Benchmarks.Read;
using StreamMl.Benchmarks.Score;
using StreamMl.Benchmarks.StreamJob;
using StreamMl.Benchmarks.Tiles;
using StreamMl.Benchmarks.Training;

// dotnet run -c Release --project benchmarks -- NAME [arguments]
// One line per benchmark: its name, what it shows, and what runs it (arguments -> exit code; 1 where a target was missed).
(string Name, string Shows, Func<string[], int> Run)[] benchmarks =
[
    ("backfill", "training set from 10M events and 1M rows, file to file, beside DuckDB", BackfillBenchmark.Run),
    ("arrow", "a training set to ML.NET: opened and scanned where it lies, beside objects in memory and a text file", ArrowBenchmark.Run),
    ("consume", "raw records from Kafka: Confluent.Kafka's consumer and librdkafka's batch call", ConsumeBenchmark.Run),
    ("decode", "Avro decoding against Apache.Avro's specific reader and Confluent's generic deserializer", DecodeBenchmark.Run),
    ("kernel", "one row through 100 trees x 31 leaves against ML.NET's PredictionEngine", KernelBenchmark.Run),
    ("outgoing", "repartitioned records in Kafka transactions beside the same without, at several records per commit", OutgoingBenchmark.Run),
    ("predict", "POST /v1/predict beside a bare Kestrel endpoint that answers a constant of the same size", PredictBenchmark.Run),
    ("read", "online read of 64 entities x 3 views against HGETALL of text fields, same client, one redis-server", ReadBenchmark.Run),
    ("score-loop", "Kafka to store to model to Kafka beside the same loop with an HGETALL per event, and beside MGET alone", ScoreLoopBenchmark.Run),
    ("stream", "our stream job on the peers' topic; StreamJob/run.sh runs it beside Flink and Kafka Streams", StreamBenchmark.Run),
    ("tiles", "tile updates on 5 levels against DuckDB's group-by of one level", TileUpdateBenchmark.Run),
];

foreach (var benchmark in benchmarks)
{
    if (args.Length > 0 && benchmark.Name == args[0])
        return benchmark.Run(args[1..]);
}

Console.Error.WriteLine($"{(args.Length == 0 ? "name a benchmark" : $"there is no benchmark '{args[0]}'")}:");
foreach (var benchmark in benchmarks)
    Console.Error.WriteLine($"  {benchmark.Name,-12} {benchmark.Shows}");
return 2;
