using StreamMl.Shared.Log;
using Landings = StreamMl.StreamFeatures.Tests.Lab.Landing;

namespace StreamMl.Simulation.Tests;

/// <summary>What the world is fed with: events in time, late, far too late, from the future, with nulls, and bytes that are none.</summary>
internal sealed class Producer(World world, int events)
{
    private const long SecondUs = 1_000_000;
    private const long MinuteUs = 60 * SecondUs;

    private readonly Random random = world.Random;
    private readonly int tails = world.Random.Next(1, 6);
    private long clockUs = 1_700_000_000_000_000;

    public bool HasMore => Left > 0;

    /// <summary>Events still to come.</summary>
    public int Left { get; private set; } = events;

    public void Append()
    {
        Left--;
        clockUs += random.Next(100) switch
        {
            < 90 => random.NextInt64(0, 30 * SecondUs),
            < 97 => random.NextInt64(0, 10 * MinuteUs),
            < 98 => 80 * MinuteUs,
            _ => -5 * MinuteUs,
        };
        var landing = random.Next(30) == 0 ? null : Landing();
        var key = landing?.Key ?? [(byte)random.Next(256)];
        var value = landing?.Encode() ?? [0, 0, 0, 0, Landings.SchemaId, 255, 255, (byte)random.Next(256)];
        world.Audit.Knows(value, landing);
        world.Log.Append(new PartitionId(SimCatalog.SourceTopic, KeyPartitioner.PartitionOf(key, world.Partitions)), clockUs, key, value, []);
    }

    private Landings Landing()
    {
        var behindUs = random.Next(100) switch
        {
            < 70 => random.NextInt64(0, MinuteUs),
            < 90 => random.NextInt64(0, 20 * MinuteUs),
            < 96 => random.NextInt64(50 * MinuteUs, 90 * MinuteUs),
            < 98 => -4 * MinuteUs,
            _ => -10 * MinuteUs,
        };
        return new Landings(
            $"N{random.Next(tails)}", clockUs - behindUs, random.Next(5) == 0 ? null : $"A{random.Next(3)}", random.Next(6) == 0 ? null : random.Next(-80, 200) / 4.0);
    }
}
