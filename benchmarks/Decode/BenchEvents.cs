using System.Buffers.Binary;
using System.Text;
using StreamMl.Infrastructure.Avro;
using StreamMl.Shared.Definitions;

namespace StreamMl.Benchmarks.Decode;

/// <summary>The 12-field event of the peers' benchmark topic, about 87 bytes, from a seed.</summary>
internal static class BenchEvents
{
    public const int SchemaId = 7;

    public const string Schema = """
        {"type":"record","name":"BenchEvent","namespace":"StreamMl.Benchmarks.Decode","fields":[
          {"name":"entity","type":"string"},
          {"name":"event_time","type":{"type":"long","logicalType":"timestamp-micros"}},
          {"name":"amount","type":"double"},{"name":"merchant_id","type":"int"},
          {"name":"category","type":"int"},{"name":"quantity","type":"int"},
          {"name":"session_id","type":"long"},{"name":"ip","type":"long"},
          {"name":"currency","type":"string"},{"name":"channel","type":"string"},
          {"name":"online","type":"boolean"},{"name":"device","type":"string"}]}
        """;

    private static readonly string[] Currencies = ["EUR", "USD", "NOK", "SEK", "GBP", "JPY", "CHF", "DKK"];
    private static readonly string[] Channels = ["web", "app", "pos", "tel"];

    public static SourceDefinition Source { get; } = new()
    {
        Name = "bench",
        Topic = "bench",
        AvroSchema = Schema,
        Schema = AvroSchemaReader.ReadEventSchema(Schema),
        EventTimeField = "event_time",
        KeyFields = ["entity"],
    };

    /// <summary>Events in Confluent's wire format.</summary>
    public static byte[][] Make(int count, int seed)
    {
        var random = new Random(seed);
        var events = new byte[count][];
        var to = new byte[256];
        for (var i = 0; i < count; i++)
        {
            ConfluentWire.WriteHeader(to, SchemaId);
            var at = Text(to, ConfluentWire.HeaderLength, $"e{random.Next(100_000):D7}");
            at += Varint.Write(to.AsSpan(at), 1_704_067_200_000_000 + (i * 259_200L));
            BinaryPrimitives.WriteDoubleLittleEndian(to.AsSpan(at), random.Next(100_000) / 100.0);
            at += sizeof(double);
            at += Varint.Write(to.AsSpan(at), random.Next(1 << 20));
            at += Varint.Write(to.AsSpan(at), random.Next(32));
            at += Varint.Write(to.AsSpan(at), random.Next(8) + 1);
            at += Varint.Write(to.AsSpan(at), random.NextInt64(1L << 62));
            at += Varint.Write(to.AsSpan(at), random.NextInt64(1L << 31));
            at = Text(to, at, Currencies[random.Next(8)]);
            at = Text(to, at, Channels[random.Next(4)]);
            to[at++] = (byte)random.Next(2);
            at = Text(to, at, random.NextInt64().ToString("x28"));
            events[i] = to[..at];
        }

        return events;
    }

    private static int Text(byte[] to, int at, string text)
    {
        at += Varint.Write(to.AsSpan(at), text.Length);
        return at + Encoding.ASCII.GetBytes(text, to.AsSpan(at));
    }
}
