using System.Buffers.Binary;

namespace StreamMl.Shared.Log;

/// <summary>
/// Which partition a key lands in: Kafka's default for keyed records, which librdkafka calls <c>murmur2_random</c>. Producers have it set
/// explicitly; readers of the store find an entity's partition with it. The empty key (the global entity) is a key like any other. Pure; thread-safe.
/// </summary>
public static class KeyPartitioner
{
    private const uint Seed = 0x9747b28c;
    private const uint Mix = 0x5bd1e995;
    private const int Shift = 24;

    /// <summary>The partition of <paramref name="key"/>, 0 to <paramref name="partitions"/> - 1.</summary>
    public static int PartitionOf(ReadOnlySpan<byte> key, int partitions) => (int)((Murmur2(key) & 0x7fffffff) % (uint)partitions);

    /// <summary>MurmurHash2, 32 bit, with Kafka's seed.</summary>
    public static uint Murmur2(ReadOnlySpan<byte> key)
    {
        var hash = Seed ^ (uint)key.Length;
        while (key.Length >= 4)
        {
            var word = BinaryPrimitives.ReadUInt32LittleEndian(key) * Mix;
            word ^= word >> Shift;
            hash = (hash * Mix) ^ (word * Mix);
            key = key[4..];
        }

        if (key.Length > 0)
        {
            uint tail = 0;
            for (var i = key.Length - 1; i >= 0; i--)
                tail = (tail << 8) | key[i];
            hash = (hash ^ tail) * Mix;
        }

        hash ^= hash >> 13;
        hash *= Mix;
        return hash ^ (hash >> 15);
    }
}
