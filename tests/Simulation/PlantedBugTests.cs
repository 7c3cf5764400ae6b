namespace StreamMl.Simulation.Tests;

/// <summary>The simulation must find what it is there to find: each of these bugs, within a thousand seeds.</summary>
public sealed class PlantedBugTests(ITestOutputHelper output)
{
    private const int SeedsMax = 1_000;

    [Theory]
    [InlineData(nameof(Plant.NoOffsetCheck))]
    [InlineData(nameof(Plant.NoIdleCheck))]
    [InlineData(nameof(Plant.AdditiveWrites))]
    [InlineData(nameof(Plant.TornCommit))]
    [InlineData(nameof(Plant.LostAnswerIsSuccess))]
    [InlineData(nameof(Plant.GapsInDeliveries))]
    [InlineData(nameof(Plant.SeekOfOldWorker))]
    [InlineData(nameof(Plant.ZombieTransactions))]
    [InlineData(nameof(Plant.AbortedIsCommitted))]
    [InlineData(nameof(Plant.NoCheckOfLog))]
    [InlineData(nameof(Plant.NoIdleCheckOfLog))]
    [InlineData(nameof(Plant.ReplayTakesAllBack))]
    [InlineData(nameof(Plant.ReplayIsTakenAlong))]
    [InlineData(nameof(Plant.ClaimIsNotReadAgain))]
    [InlineData(nameof(Plant.WhatRetentionTookIsSkipped))]
    [InlineData(nameof(Plant.LostPositionBeginsAnew))]
    public void World_WithPlantedBug_IsFoundWithinAThousandSeeds(string bug)
    {
        Seeds.SkipIfOnlyOne();
        var summary = Seeds.Run(Seeds.First, SeedsMax, Enum.Parse<Plant>(bug), failuresMax: 1);
        summary.Failures.ShouldNotBeEmpty($"{SeedsMax} seeds did not find {bug}");
        output.WriteLine($"{bug}: found after {summary.Seeds} seeds: {summary.Failures[0].Message.Split('\n')[0]}");
    }
}
