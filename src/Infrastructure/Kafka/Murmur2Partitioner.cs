using System.Buffers.Binary;

namespace StreamMl.Infrastructure.Kafka;

/// <summary>Kafka's default partitioner for keyed records (librdkafka's murmur2_random), so a reader of the store finds a key's partition.</summary>
public static class Murmur2Partitioner
{
    private const uint Multiplier = 0x5bd1e995;
    private const uint Seed = 0x9747b28c;

    /// <summary>The partition of a non-null key; an empty key is a key like any other.</summary>
    public static int PartitionOf(ReadOnlySpan<byte> key, int partitions) => (int)((Hash(key) & 0x7fffffff) % (uint)partitions);

    private static uint Hash(ReadOnlySpan<byte> data)
    {
        uint hash = Seed ^ (uint)data.Length;
        while (data.Length >= 4)
        {
            uint block = BinaryPrimitives.ReadUInt32LittleEndian(data) * Multiplier;
            block ^= block >> 24;
            hash = (hash * Multiplier) ^ (block * Multiplier);
            data = data[4..];
        }

        if (data.Length == 3) hash ^= (uint)data[2] << 16;
        if (data.Length >= 2) hash ^= (uint)data[1] << 8;
        if (data.Length >= 1) hash = (hash ^ data[0]) * Multiplier;
        hash = (hash ^ (hash >> 13)) * Multiplier;
        return hash ^ (hash >> 15);
    }
}
