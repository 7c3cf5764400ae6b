using Avro.Generic;
using Avro.IO;
using Avro.Specific;
using Confluent.Kafka;
using Confluent.SchemaRegistry.Serdes;
using StreamMl.Infrastructure.Avro;
using StreamMl.Shared.Events;

namespace StreamMl.Benchmarks.Decode;

/// <summary>
/// One thread, all 12 fields, 50,000 distinct events again and again: nanoseconds of CPU (of the whole process: what else the machine does counts for nobody) and bytes per event. The contenders take turns, five rounds each, and
/// the best round counts: that is the one the machine's other work disturbed least.
/// </summary>
internal static class DecodeBenchmark
{
    private const int Events = 50_000;
    private const int Rounds = 5;
    private const int BatchRows = 4_096;
    private const double SpecificTarget = 10;
    private const double GenericTarget = 100;

    public static int Run(string[] args)
    {
        var values = BenchEvents.Make(Events, seed: 1);
        Console.WriteLine($"decode: {Events:N0} distinct events of 12 fields, {values.Average(v => v.Length - ConfluentWire.HeaderLength):F1} B on average, one thread, CPU time, best of {Rounds} rounds");
        Contender[] contenders =
        [
            new("StreamMl, all 12 fields", Ours(values, BenchEvents.Source.Schema), 20),
            new("StreamMl, 5 fields", Ours(values, BenchEvents.Source.Schema.Project(new HashSet<string> { "entity", "amount", "category", "currency", "online" })), 20),
            new("Apache.Avro specific reader", Specific(values), 4),
            new("Apache.Avro generic reader", Generic(values), 2),
            new("Confluent AvroDeserializer<GenericRecord>", Confluent(values), 1),
        ];
        for (var round = -1; round < Rounds; round++)
        {
            foreach (var contender in contenders)
                contender.Measure(values.Length, isWarmUp: round < 0);
        }

        var ours = contenders[0].Nanoseconds;
        foreach (var c in contenders)
            Console.WriteLine($"  {c.Name,-44} {c.Nanoseconds,9:F1} ns/event {1_000 / c.Nanoseconds,8:F2} M/s {c.BytesPerEvent,8:F1} B/event {c.Nanoseconds / ours,8:F1}x");
        return Verdict(contenders, ours);
    }

    private static int Verdict(Contender[] contenders, double ours)
    {
        var specific = contenders[2].Nanoseconds / ours;
        var generic = contenders[4].Nanoseconds / ours;
        var met = specific >= SpecificTarget && generic >= GenericTarget && contenders[0].BytesPerEvent < 0.01;
        Console.WriteLine($"  target: >= {SpecificTarget}x the specific reader ({specific:F1}x), >= {GenericTarget}x Confluent generic ({generic:F1}x), 0 B/event ({contenders[0].BytesPerEvent:F3}): {(met ? "met" : "MISSED")}");
        return met ? 0 : 1;
    }

    private static Func<long> Ours(byte[][] values, EventSchema schema)
    {
        var decoder = new EventDecoder(BenchEvents.Schema, BenchEvents.Source, schema);
        var batch = new EventBatch(schema, BatchRows);
        return () =>
        {
            var checksum = 0L;
            foreach (var value in values)
            {
                if (batch.Count == BatchRows)
                    batch.Clear();
                if (!ConfluentWire.TryReadSchemaId(value, out _, out var body) || !decoder.TryDecode(body, batch, batch.NextRow(), out var time, out var error))
                    throw new InvalidOperationException("the benchmark's own event was refused");
                batch.Count++;
                checksum += time;
            }

            return checksum;
        };
    }

    private static Func<long> Specific(byte[][] values)
    {
        var reader = new SpecificDatumReader<BenchEvent>(BenchEvent.RecordSchema, BenchEvent.RecordSchema);
        var reuse = new BenchEvent();
        var stream = new ReusedStream();
        var decoder = new BinaryDecoder(stream);
        return () =>
        {
            var checksum = 0L;
            foreach (var value in values)
            {
                stream.Set(value, ConfluentWire.HeaderLength);
                checksum += reader.Read(reuse, decoder).EventTime;
            }

            return checksum;
        };
    }

    private static Func<long> Generic(byte[][] values)
    {
        var schema = Avro.Schema.Parse(BenchEvents.Schema);
        var reader = new GenericDatumReader<GenericRecord>(schema, schema);
        var stream = new ReusedStream();
        var decoder = new BinaryDecoder(stream);
        return () =>
        {
            var checksum = 0L;
            foreach (var value in values)
            {
                stream.Set(value, ConfluentWire.HeaderLength);
                checksum += ((DateTime)reader.Read(null!, decoder).GetValue(1)).Ticks;
            }

            return checksum;
        };
    }

    private static Func<long> Confluent(byte[][] values)
    {
        var deserializer = new AvroDeserializer<GenericRecord>(OneSchemaRegistry.Create());
        var context = new SerializationContext(MessageComponentType.Value, "bench");
        return () =>
        {
            var checksum = 0L;
            foreach (var value in values)
                checksum += ((DateTime)deserializer.DeserializeAsync(value, isNull: false, context).GetAwaiter().GetResult().GetValue(1)).Ticks;
            return checksum;
        };
    }

    private sealed class Contender(string name, Func<long> run, int repeats)
    {
        public string Name => name;

        public double Nanoseconds { get; private set; } = double.PositiveInfinity;

        public double BytesPerEvent { get; private set; } = double.PositiveInfinity;

        public void Measure(int events, bool isWarmUp)
        {
            // Several calls, so that tiered compilation has replaced the first code before anything counts.
            for (var i = 0; isWarmUp && i < 3 * repeats; i++)
                run();
            var bytes = GC.GetAllocatedBytesForCurrentThread();
            var before = Environment.CpuUsage.TotalTime;
            for (var i = 0; i < repeats; i++)
                run();
            var elapsed = Environment.CpuUsage.TotalTime - before;
            if (isWarmUp)
                return;
            Nanoseconds = Math.Min(Nanoseconds, elapsed.TotalNanoseconds / ((double)events * repeats));
            BytesPerEvent = Math.Min(BytesPerEvent, (GC.GetAllocatedBytesForCurrentThread() - bytes) / ((double)events * repeats));
        }
    }
}
