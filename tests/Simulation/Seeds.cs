using System.Collections.Concurrent;
using System.Globalization;
using StreamMl.Simulation.Tests.Truth;

namespace StreamMl.Simulation.Tests;

/// <summary>What a run over many seeds came to.</summary>
internal sealed record SeedsSummary(int Seeds, long Steps, long Records, long Checks, long[] Faults, IReadOnlyList<SimulationFailure> Failures)
{
    public override string ToString() =>
        $"{Seeds} seeds, {Records} records, {Steps} steps, {Checks} checks; faults: {string.Join(", ", Enum.GetValues<Fault>().Select(f => $"{f} {Faults[(int)f]}"))}";
}

/// <summary>A seed that broke a promise.</summary>
internal sealed record SimulationFailure(int Seed, string Message);

/// <summary>Runs worlds by the thousand, each alone on its thread.</summary>
internal static class Seeds
{
    private const int FailuresMax = 3;

    /// <summary>How many seeds a full run takes: <c>STREAMML_SIMULATION_SEEDS</c>, default 10,000.</summary>
    public static int Count => Variable("STREAMML_SIMULATION_SEEDS") ?? 10_000;

    /// <summary>The first of them: <c>STREAMML_SIMULATION_FIRST</c>, default 1.</summary>
    public static int First => Variable("STREAMML_SIMULATION_FIRST") ?? 1;

    /// <summary>The one seed to run, with its trace: <c>STREAMML_SIMULATION_SEED</c>.</summary>
    public static int? Only => Variable("STREAMML_SIMULATION_SEED");

    /// <summary>Skips a test that does not run the one seed that is wanted.</summary>
    public static void SkipIfOnlyOne() => Assert.SkipWhen(Only is not null, "STREAMML_SIMULATION_SEED names the one seed to run");

    /// <summary>Runs the seeds from the first on, until some have failed.</summary>
    public static SeedsSummary Run(int first, int count, Plant plant = Plant.None, int failuresMax = FailuresMax)
    {
        var failures = new ConcurrentQueue<SimulationFailure>();
        var totals = new long[3];
        var faults = new long[Enum.GetValues<Fault>().Length];
        var seeds = 0;
        Parallel.For(first, first + count, new ParallelOptions { MaxDegreeOfParallelism = Environment.ProcessorCount }, (seed, loop) =>
        {
            if (failures.Count >= failuresMax)
            {
                loop.Stop();
                return;
            }

            var world = new World(seed, plant);
            try
            {
                world.Run();
            }
            catch (SimulationException e)
            {
                failures.Enqueue(new SimulationFailure(seed, e.ToString()));
            }

            Interlocked.Increment(ref seeds);
            Interlocked.Add(ref totals[0], world.Trace.Step);
            Interlocked.Add(ref totals[1], world.Log.Count);
            Interlocked.Add(ref totals[2], world.Audit.Checks);
            for (var i = 0; i < faults.Length; i++)
                Interlocked.Add(ref faults[i], world.Faults.Counts[i]);
        });
        return new SeedsSummary(seeds, totals[0], totals[1], totals[2], faults, [.. failures.OrderBy(f => f.Seed)]);
    }

    private static int? Variable(string name) =>
        Environment.GetEnvironmentVariable(name) is { Length: > 0 } text ? int.Parse(text, CultureInfo.InvariantCulture) : null;
}
