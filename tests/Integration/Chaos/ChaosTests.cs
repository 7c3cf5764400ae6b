using StreamMl.Integration.Tests.Chaos.Servers;
using StreamMl.TestKit.Servers;

namespace StreamMl.Integration.Tests.Chaos;

/// <summary>
/// Real Kafka, real Redis, the product's own processes, and <c>kill -9</c>. The short form runs where both servers are at hand; <c>infra/chaos/run</c> asks for the long one.
/// </summary>
public sealed class ChaosTests(ITestOutputHelper output)
{
    [Fact]
    public async Task Faults_WhileEventsFlow_EveryValueIsTheBackfillsAndTheLedgerBalances()
    {
        if (ChaosBroker.WhyNot is { } why)
            TestEnvironment.Skip($"chaos needs a Kafka that it can kill: {why}");
        if (RedisProcess.RedisServer is null)
            TestEnvironment.Skip("chaos needs a store that it can kill: no redis-server on the PATH");
        await using var run = new ChaosRun(ChaosSettings.OfEnvironment(), line => ChaosSettings.Say(output, line), TestContext.Current.CancellationToken);
        var report = await run.RunAsync();
        ChaosSettings.Keep(report);
        ChaosSettings.Say(output, report.ToString());
        report.Wrong.ShouldBeEmpty(report.ToString());
        (report.ValuesCompared, report.Zombies).ShouldSatisfyAllConditions(r => r.ValuesCompared.ShouldBeGreaterThan(0), r => r.Zombies.ShouldBeGreaterThan(0));
    }
}
