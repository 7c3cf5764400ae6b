using StreamMl.Training.Configuration;
using StreamMl.Training.Search;

namespace StreamMl.Training.Tests.Search;

public sealed class ParameterSearchTests
{
    private static readonly SearchDimension[] Space =
    [
        new("learningRate", [], 0.001, 1, IsLog: true, IsWhole: false),
        new("leaves", [], 2, 200, IsLog: false, IsWhole: true),
        new("bins", [15, 63, 255], 2, 255, IsLog: false, IsWhole: true),
    ];

    [Theory]
    [InlineData(SearchMethod.Random)]
    [InlineData(SearchMethod.Tpe)]
    [InlineData(SearchMethod.Halving)]
    public void Run_SameSeed_GivesTheSameTrialsWithinTheSpace(SearchMethod method)
    {
        var first = Search(method, 30, 5);
        Search(method, 30, 5).Select(t => t.Quality).ShouldBe(first.Select(t => t.Quality));
        Search(method, 30, 6).Select(t => t.Quality).ShouldNotBe(first.Select(t => t.Quality));
        foreach (var trial in first)
        {
            trial.Parameters["learningRate"].ShouldBeInRange(0.001, 1);
            trial.Parameters["leaves"].ShouldBe(Math.Round(trial.Parameters["leaves"]));
            new[] { 15d, 63, 255 }.ShouldContain(trial.Parameters["bins"]);
        }
    }

    [Fact]
    public void Run_Tpe_ComesNearerThanChance()
    {
        double Mean(SearchMethod method) => Enumerable.Range(0, 30).Average(seed => ParameterSearch.Best(Search(method, 40, seed)).Quality);
        Mean(SearchMethod.Tpe).ShouldBeGreaterThan(Mean(SearchMethod.Random));
    }

    [Fact]
    public void Run_Halving_GivesTheBestThirdThreeTimesAsMuch()
    {
        var trials = Search(SearchMethod.Halving, 27, 1);
        trials.GroupBy(t => Math.Round(t.Share, 6)).Select(g => g.Count()).ShouldBe([27, 9, 3, 1]);
        trials[^1].Share.ShouldBe(1);
        ParameterSearch.Best(trials).ShouldBe(trials[^1]);
    }

    [Fact]
    public void Run_Budget_EndsTheSearch()
    {
        var time = new Microsoft.Extensions.Time.Testing.FakeTimeProvider();
        var options = new SearchOptions(SearchMethod.Random, 100, TimeSpan.FromMinutes(5), Space);
        var trials = new ParameterSearch(options, 1, time, (_, _) =>
        {
            time.Advance(TimeSpan.FromMinutes(2));
            return 0;
        }, _ => { }).Run();
        trials.Count.ShouldBe(3);
    }

    private static IReadOnlyList<Trial> Search(SearchMethod method, int trials, long seed) =>
        new ParameterSearch(new SearchOptions(method, trials, null, Space), seed, TimeProvider.System, (p, _) => Quality(p), _ => { }).Run();

    // Best at a rate of 0.05, 40 leaves, 63 bins.
    private static double Quality(IReadOnlyDictionary<string, double> p) =>
        -Math.Pow(Math.Log(p["learningRate"] / 0.05), 2) - Math.Pow((p["leaves"] - 40) / 50, 2) - (p["bins"] == 63 ? 0 : 1);
}
