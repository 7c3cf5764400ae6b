namespace StreamMl.Simulation.Tests;

public sealed class SimulationTests(ITestOutputHelper output)
{
    [Fact]
    public void World_AnySeed_KeepsEveryPromise()
    {
        var summary = Seeds.Only is { } seed ? Seeds.Run(seed, 1) : Seeds.Run(Seeds.First, Seeds.Count);
        output.WriteLine(summary.ToString());
        summary.Failures.ShouldBeEmpty(Explain(summary));
    }

    [Fact]
    public void World_SameSeed_TakesTheSameSteps()
    {
        Seeds.SkipIfOnlyOne();
        for (var seed = 1; seed <= 20; seed++)
            Run(seed).ShouldBe(Run(seed), $"seed {seed}");
    }

    private static string Explain(SeedsSummary summary) =>
        $"to see one again: STREAMML_SIMULATION_SEED={summary.Failures.Select(f => f.Seed).FirstOrDefault()} dotnet test --project tests/Simulation\n{string.Join("\n\n", summary.Failures.Select(f => f.Message))}";

    private static (ulong Hash, int Steps, long Checks) Run(int seed)
    {
        var world = new World(seed);
        world.Run();
        return (world.Trace.Hash, world.Trace.Step, world.Audit.Checks);
    }
}
