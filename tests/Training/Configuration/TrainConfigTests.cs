using System.Text.Json;
using StreamMl.Shared.Definitions;
using StreamMl.Training.Configuration;
using StreamMl.Training.Trainers;

namespace StreamMl.Training.Tests.Configuration;

public sealed class TrainConfigTests
{
    private static readonly JsonElement Schema = JsonDocument.Parse(File.ReadAllText(Path.Combine(RepositoryRoot.Find(), "docs", "training.schema.json"))).RootElement;

    [Fact]
    public void Load_Sample_IsRead()
    {
        var config = TrainConfigFile.Load(Path.Combine(RepositoryRoot.Find(), "samples", "flights", "train.yaml"));
        config.Label.ShouldBe("late");
        config.Trainer.Kind.Name.ShouldBe("lightgbm");
        config.Split.TestFrom.ShouldBe(new DateTimeOffset(2013, 10, 1, 0, 0, 0, TimeSpan.Zero));
        config.Variants.Select(v => v.Name).ShouldBe(["schedule", "weather"]);
    }

    [Theory]
    [InlineData("labl: late", "2:1", "Did you mean `label`?")]
    [InlineData("trainer: { kind: lightgbn }", "2:18", "Did you mean `lightgbm`?")]
    [InlineData("trainer: { kind: lightgbm, leaves: 1 }", "2:36", "whole number from 2 to 4096")]
    [InlineData("trainer: { kind: sdca, leaves: 3 }", "2:32", "has no parameter `leaves`")]
    [InlineData("split: { by: tme }", "2:14", "Did you mean `time`?")]
    [InlineData("split: { validation: tomorrow }", "2:22", "Write a date or a time in UTC")]
    [InlineData("split: { gap: long }", "2:15", "as 6h")]
    [InlineData("baselines: [majority, best]", "2:23", "`best` is no baseline")]
    [InlineData("steps: [{ columns: [a] }]", "2:9", "a step has no kind")]
    [InlineData("steps: [{ kind: one_hut, columns: [a] }]", "2:17", "one_hot")]
    [InlineData("task: regression\ncalibrate: platt", "3:1", "Only the scores of task binary are calibrated")]
    [InlineData("search: { trials: 3 }", "2:9", "search has no space")]
    [InlineData("search: { space: { leavs: [3] } }", "2:1", "Did you mean `leaves`?")]
    [InlineData("search: { space: { learningRate: { low: 0.3, high: 0.1 } } }", "2:34", "Low lies below high")]
    [InlineData("ensemble: { kind: stack }", "2:11", "a stack has 0 trainers")]
    [InlineData("evaluate: { cost: { falseNegativ: 3 } }", "2:21", "falseNegative")]
    [InlineData("sampling: cluster", "2:11", "names no entity")]
    public void Parse_Mistake_IsToldWithItsPlaceAndRemedy(string yaml, string place, string says)
    {
        var (config, diagnostics) = TrainConfigFile.Parse("label: late\n" + yaml, "train.yaml");
        config.ShouldBeNull();
        var text = string.Join('\n', diagnostics.Where(d => d.Severity == Severity.Error));
        text.ShouldContain($"train.yaml:{place}: error");
        text.ShouldContain(says);
    }

    [Fact]
    public void Parse_SeveralMistakes_AreToldTogether() =>
        TrainConfigFile.Parse("labl: late\ntask: binry\nseed: x", "train.yaml").Diagnostics.Count.ShouldBe(3);

    [Fact]
    public void Of_Variant_TakesStepsColumnsAway()
    {
        var (config, _) = TrainConfigFile.Parse("steps: [{ kind: one_hot, columns: [origin, v.last_dest] }, { kind: log, columns: [v.sum] }]\nvariants: { plain: { exclude: ['v.*'] } }", "train.yaml");
        var plain = config!.Of(config.Variants[0]);
        plain.Pipeline.Exclude.ShouldBe(["v.*"]);
        plain.Pipeline.Steps.Single().Columns.ShouldBe(["origin"]);
    }

    [Theory]
    [InlineData("", nameof(TrainKeys.Root))]
    [InlineData("split", nameof(TrainKeys.Split))]
    [InlineData("features", nameof(TrainKeys.Features))]
    [InlineData("variant", nameof(TrainKeys.Variant))]
    [InlineData("sampling", nameof(TrainKeys.Sampling))]
    [InlineData("imbalance", nameof(TrainKeys.Imbalance))]
    [InlineData("evaluate", nameof(TrainKeys.Evaluate))]
    [InlineData("cost", nameof(TrainKeys.Cost))]
    [InlineData("card", nameof(TrainKeys.Card))]
    [InlineData("search", nameof(TrainKeys.Search))]
    [InlineData("dimension", nameof(TrainKeys.Dimension))]
    [InlineData("ensemble", nameof(TrainKeys.Ensemble))]
    public void Schema_Keys_AreTheReaders(string definition, string keys)
    {
        var part = definition.Length == 0 ? Schema : Schema.GetProperty("definitions").GetProperty(definition);
        var known = (string[])typeof(TrainKeys).GetField(keys)!.GetValue(null)!;
        part.GetProperty("properties").EnumerateObject().Select(p => p.Name).Order().ShouldBe(known.Order());
    }

    [Fact]
    public void Document_NamesEveryKeyAndParameter()
    {
        var text = File.ReadAllText(Path.Combine(RepositoryRoot.Find(), "docs", "training.md"));
        foreach (var key in TrainKeys.Root.Concat(TrainerCatalog.Kinds.SelectMany(k => k.Parameters.Select(p => p.Name).Append(k.Name))))
            text.ShouldContain($"`{key}`");
    }
}
