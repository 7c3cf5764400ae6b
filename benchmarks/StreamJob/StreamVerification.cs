using System.Buffers.Binary;
using System.Text;
using StackExchange.Redis;
using StreamMl.FeatureEngine.Views;
using StreamMl.Infrastructure.Kafka;
using StreamMl.Infrastructure.Store;
using StreamMl.Shared.Features;
using StreamMl.Shared.Log;
using StreamMl.Shared.Store;
using StreamMl.Shared.Time;

namespace StreamMl.Benchmarks.StreamJob;

/// <summary>
/// Reads the topic again with a decoder of its own, recomputes every entity's windows from its events one by one, and compares them with what the
/// stored states read out to, as of the entity's newest event. Also that positions and ledger cover the topic.
/// </summary>
internal static class StreamVerification
{
    private const long Minute = TimeGrid.MicrosPerMinute;
    private static readonly (long Size, long Hop)[] Windows =
        [(30 * Minute, Minute), (60 * Minute, Minute), (360 * Minute, 15 * Minute), (1440 * Minute, 60 * Minute), (7 * 1440 * Minute, 360 * Minute)];

    public static async Task<int> RunAsync(string bootstrap, long count, string redis)
    {
        var events = ReadTopic(bootstrap, count);
        using var connection = await ConnectionMultiplexer.ConnectAsync(redis);
        var store = new RedisStateStore(connection);
        var program = ViewProgram.Compile(StreamBenchmark.Catalog.Views[0], StreamBenchmark.Catalog.Sources[0]);
        var read = await ReadLedgerAsync(store);
        var row = new FeatureRow(program.Outputs.Count);
        long compared = 0, wrong = 0, absent = 0;
        foreach (var chunk in events.Chunk(5_000))
        {
            var keys = new PackedBytes(chunk.Length);
            foreach (var (entity, _) in chunk)
                keys.Add(LogNames.StateKey(PartitionOf(entity), program.View.Name, program.Hash8, Encoding.UTF8.GetBytes(entity)));
            using var states = await store.ReadAsync(keys, default);
            for (var i = 0; i < chunk.Length; i++)
            {
                var list = chunk[i].Value;
                var asOf = list.Max(e => e.Time);
                absent += states.Has(i) ? 0 : 1;
                // With its own newest event as the watermark no entity is forgotten: most have been idle for weeks at the log's end.
                StateReader.Read(program, states[i], asOf, asOf, row, 0);
                foreach (var (size, hop) in Windows)
                {
                    compared++;
                    wrong += Same(program, row, size, list, TimeGrid.Floor(asOf - size, hop), TimeGrid.Floor(asOf, hop) + hop) ? 0 : 1;
                }
            }
        }

        Console.WriteLine($"{count:N0} events, {events.Count:N0} entities, {compared:N0} windows compared: {absent} absent, {wrong} wrong; ledger: {read}");
        return wrong + absent == 0 && read.Balances && read.Read == count ? 0 : 1;
    }

    private static bool Same(ViewProgram program, FeatureRow row, long size, List<(long Time, double Amount)> events, long from, long to)
    {
        var inside = events.Where(e => e.Time >= from && e.Time < to).Select(e => e.Amount).ToList();
        var label = size switch { 30 * Minute => "30m", 60 * Minute => "1h", 360 * Minute => "6h", 1440 * Minute => "24h", _ => "7d" };
        return row.Lanes[program.OutputsOf($"count_{label}").First] == inside.Count
            && Near(Value("sum"), inside.Sum()) && Near(Value("mean"), inside.Average()) && Value("min") == inside.Min() && Value("max") == inside.Max();

        double Value(string function) => BitConverter.Int64BitsToDouble(row.Lanes[program.OutputsOf($"{function}_{label}").First]);
    }

    private static bool Near(double a, double b) => Math.Abs(a - b) <= 1e-9 * Math.Max(1, Math.Abs(b));

    private static PartitionId PartitionOf(string entity) =>
        new(StreamBenchmark.Topic, KeyPartitioner.PartitionOf(Encoding.UTF8.GetBytes(entity), StreamBenchmark.Partitions));

    private static async Task<LedgerCounts> ReadLedgerAsync(RedisStateStore store)
    {
        var keys = new PackedBytes();
        for (var p = 0; p < StreamBenchmark.Partitions; p++)
            keys.Add(Encoding.UTF8.GetBytes(LogNames.LedgerKey(new PartitionId(StreamBenchmark.Topic, p))));
        using var values = await store.ReadAsync(keys, default);
        var ledger = default(LedgerCounts);
        for (var p = 0; p < keys.Count; p++)
            ledger += LedgerRecord.Decode(values[p]);
        return ledger;
    }

    private static Dictionary<string, List<(long Time, double Amount)>> ReadTopic(string bootstrap, long count)
    {
        using var source = new KafkaConsumerFactory(KafkaEndpoint.Of(bootstrap)).CreateManagedSource(StreamBenchmark.SourceOptions("streamml.verify"));
        using var batch = new RawRecordBatch();
        source.Assign([.. Enumerable.Range(0, StreamBenchmark.Partitions).Select(p => new PartitionStart(new PartitionId(StreamBenchmark.Topic, p), PartitionStart.Beginning))]);
        var events = new Dictionary<string, List<(long, double)>>(StringComparer.Ordinal);
        for (long seen = 0; seen < count; seen += batch.Count)
        {
            if (!source.TryReadBatch(batch, TimeSpan.FromSeconds(1)))
                continue;
            for (var i = 0; i < batch.Count; i++)
            {
                var key = Encoding.UTF8.GetString(batch.Key(i));
                if (!events.TryGetValue(key, out var list))
                    events.Add(key, list = []);
                list.Add(Decode(batch.Value(i)));
            }
        }

        return events;
    }

    // Framing, the entity's length and text, the time as a zigzag varint, the amount.
    private static (long Time, double Amount) Decode(ReadOnlySpan<byte> value)
    {
        var at = 6 + (value[5] >> 1);
        ulong raw = 0;
        for (var shift = 0; ; shift += 7)
        {
            var b = value[at++];
            raw |= (ulong)(b & 0x7f) << shift;
            if (b < 0x80)
                break;
        }

        return ((long)(raw >> 1) ^ -(long)(raw & 1), BinaryPrimitives.ReadDoubleLittleEndian(value[at..]));
    }
}
