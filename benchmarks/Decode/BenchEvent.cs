using Avro;
using Avro.Specific;

namespace StreamMl.Benchmarks.Decode;

/// <summary>What Apache.Avro's code generator makes of the schema, but for its logical type: a plain long is the faster of the two.</summary>
public sealed class BenchEvent : ISpecificRecord
{
    public static Schema RecordSchema { get; } = Schema.Parse(BenchEvents.Schema.Replace("{\"type\":\"long\",\"logicalType\":\"timestamp-micros\"}", "\"long\"", StringComparison.Ordinal));

    public string Entity { get; set; } = "";

    public long EventTime { get; set; }

    public double Amount { get; set; }

    public int MerchantId { get; set; }

    public int Category { get; set; }

    public int Quantity { get; set; }

    public long SessionId { get; set; }

    public long Ip { get; set; }

    public string Currency { get; set; } = "";

    public string Channel { get; set; } = "";

    public bool Online { get; set; }

    public string Device { get; set; } = "";

    Schema ISpecificRecord.Schema => RecordSchema;

    public object Get(int fieldPos) => fieldPos switch
    {
        0 => Entity,
        1 => EventTime,
        2 => Amount,
        3 => MerchantId,
        4 => Category,
        5 => Quantity,
        6 => SessionId,
        7 => Ip,
        8 => Currency,
        9 => Channel,
        10 => Online,
        11 => Device,
        _ => throw new AvroRuntimeException($"no field {fieldPos}"),
    };

    public void Put(int fieldPos, object fieldValue)
    {
        switch (fieldPos)
        {
            case 0: Entity = (string)fieldValue; break;
            case 1: EventTime = (long)fieldValue; break;
            case 2: Amount = (double)fieldValue; break;
            case 3: MerchantId = (int)fieldValue; break;
            case 4: Category = (int)fieldValue; break;
            case 5: Quantity = (int)fieldValue; break;
            case 6: SessionId = (long)fieldValue; break;
            case 7: Ip = (long)fieldValue; break;
            case 8: Currency = (string)fieldValue; break;
            case 9: Channel = (string)fieldValue; break;
            case 10: Online = (bool)fieldValue; break;
            case 11: Device = (string)fieldValue; break;
            default: throw new AvroRuntimeException($"no field {fieldPos}");
        }
    }
}
