using StreamMl.Infrastructure.Predictions;
using StreamMl.Shared.Log;
using StreamMl.Shared.Models;
using StreamMl.TestKit;

namespace StreamMl.Cli.Tests.Explaining;

public sealed class ScoringWorldTests
{
    private const int Events = 60;

    [Fact]
    public async Task Explain_ServedPredictions_AreTheSameFromTheArchive()
    {
        await using var world = await ScoringWorld.StartAsync();
        var version = await world.PromoteAsync(-0.1);
        await world.SendAsync(0, Events);
        using (var host = world.Build())
        {
            await host.StartAsync(TestContext.Current.CancellationToken);
            await Eventually.Until(() => world.Predictions().Count >= Events, () => $"{world.Predictions().Count} archived", 60_000);
            await host.StopAsync(TestContext.Current.CancellationToken);
        }

        var predictions = world.Predictions().Select(p => p.Prediction).ToList();
        predictions.Count.ShouldBe(Events);
        predictions.Select(p => p.Id).Distinct().Count().ShouldBe(Events);
        predictions.ShouldAllBe(p => p.Id.Model == version && p.Variant == "champion");
        foreach (var prediction in predictions.Where((_, i) => i % 13 == 0))
        {
            var explained = await world.Explainer().ExplainAsync(prediction.Id, TestContext.Current.CancellationToken);
            explained.IsEqual.ShouldBeTrue(string.Join("; ", explained.Inputs.Select(i => $"{i.Name}: {i.Served} {i.Recomputed}")));
            explained.Explanation.ShouldNotBeNull();
            (explained.Explanation.BaseValue + explained.Explanation.Contributions.Sum()).ShouldBe(explained.Explanation.Total, 1e-6);
            explained.Inputs.Select(i => i.View?.View).ShouldBe(["origin", "origin", null]);
        }

        var missing = new PredictionId(version, new PartitionId("schedules", 0), 1_000);
        (await Should.ThrowAsync<ModelException>(() => world.Explainer().ExplainAsync(missing, TestContext.Current.CancellationToken))).Message.ShouldContain("there is no prediction");
    }

    [Fact]
    public async Task Restart_WithAnotherChampion_WritesNothingTwiceAndGoesOn()
    {
        await using var world = await ScoringWorld.StartAsync();
        var first = await world.PromoteAsync(-0.1);
        await world.SendAsync(0, Events);
        await LiveAsync(world, Events);
        var before = world.Predictions().Select(p => p.Value).ToList();
        var second = await world.PromoteAsync(0.4);
        await world.SendAsync(Events, Events);
        await LiveAsync(world, 2 * Events);
        var after = world.Predictions();
        after.Count.ShouldBe(2 * Events);
        after.Count(p => p.Prediction.Id.Model == first).ShouldBe(Events);
        after.Count(p => p.Prediction.Id.Model == second).ShouldBe(Events);
        after.Where(p => p.Prediction.Id.Model == first).Select(p => p.Value).ShouldBe(before, ignoreOrder: true);
    }

    private static async Task LiveAsync(ScoringWorld world, int until)
    {
        using var host = world.Build();
        await host.StartAsync(TestContext.Current.CancellationToken);
        await Eventually.Until(() => world.Predictions().Count >= until, () => $"{world.Predictions().Count} of {until} archived", 60_000);
        await host.StopAsync(TestContext.Current.CancellationToken);
    }
}

public sealed class ExplainedInputTests
{
    [Theory]
    [InlineData(1.5, 1.5, true)]
    [InlineData(double.NaN, double.NaN, true)]
    [InlineData(0.0, -0.0, false)]
    [InlineData(1.5, null, false)]
    [InlineData(null, null, true)]
    [InlineData(3L, 3L, true)]
    [InlineData(3L, 3.0, false)]
    [InlineData("JFK", "LGA", false)]
    public void IsSame_ServedAndRecomputed_ComparesBits(object? served, object? recomputed, bool same)
    {
        new Cli.Explaining.ExplainedInput("x", served, recomputed, false, null, null).IsSame.ShouldBe(same);
        new Cli.Explaining.ExplainedInput("x", served, recomputed, true, null, null).IsSame.ShouldBeTrue();
    }
}
