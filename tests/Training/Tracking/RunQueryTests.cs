using CsCheck;
using StreamMl.Training.Tracking;
using StreamMl.Training.Tracking.Search;

namespace StreamMl.Training.Tests.Tracking;

public sealed class RunQueryTests
{
    private static readonly Run[] Runs =
    [
        Of("a", ("auc", 0.70), ("trees", "9"), ("team", "ops")),
        Of("b", ("auc", 0.75), ("trees", "100"), ("team", "Research")),
        Of("c", ("auc", double.NaN), ("trees", "20"), ("team", "it's")),
        Of("d", null, ("trees", "20"), null),
    ];

    [Theory]
    [InlineData("", "abcd")]
    [InlineData("metrics.auc > 0.7", "b")]
    [InlineData("metric.auc >= 0.7 and params.trees = '9'", "a")]
    [InlineData("metrics.auc != 0.7", "bc")]
    [InlineData("parameters.trees != '20'", "ab")]
    [InlineData("tags.team LIKE '%esear%'", "b")]
    [InlineData("tags.team ilike 'RESEARCH'", "b")]
    [InlineData("tags.team = 'it''s'", "c")]
    [InlineData("tag.`team` IN ('ops', \"Research\")", "ab")]
    [InlineData("tags.\"team\" NOT IN ('ops')", "bc")]
    [InlineData("tags.team IS NULL", "d")]
    [InlineData("tags.team IS NOT NULL AND metrics.`auc` < 1e3", "ab")]
    [InlineData("attributes.run_id = 'c'", "c")]
    [InlineData("status = 'FINISHED'", "abcd")]
    [InlineData("attributes.start_time > 0 and run_name LIKE '_'", "abcd")]
    public void Filter_OfTheGrammar_FindsItsRuns(string filter, string found) =>
        string.Concat(RunQuery.Parse(filter).Apply(Runs).Select(r => r.Record.Id)).ShouldBe(found);

    [Theory]
    [InlineData("metrics.auc > 'high'", "a number")]
    [InlineData("metrics.auc", "an operator")]
    [InlineData("params.trees > '9'", "are text")]
    [InlineData("params.trees = 9", "a text in quotes")]
    [InlineData("metrics.auc > 1 or metrics.auc < 0", "AND")]
    [InlineData("size = '1'", "no attribute")]
    [InlineData("dataset.name = 'x'", "no field")]
    [InlineData("tags.team = 'open", "a text in quotes")]
    [InlineData("tags.team IN 'ops'", "parentheses")]
    [InlineData("metrics.auc LIKE '0'", "a number")]
    public void Filter_NotOfTheGrammar_SaysWhatItExpected(string filter, string message) =>
        Should.Throw<TrackingException>(() => RunQuery.Parse(filter)).Message.ShouldContain(message);

    [Theory]
    [InlineData("metrics.auc", "abcd")]
    [InlineData("metrics.auc DESC", "bacd")]
    [InlineData("params.trees ASC", "acdb")]
    [InlineData("params.trees desc", "bcda")]
    [InlineData("tags.team", "bcad")]
    public void OrderBy_AnyField_PutsMissingOnesLast(string order, string found) =>
        string.Concat(RunQuery.Parse(null, [order]).Apply(Runs).Select(r => r.Record.Id)).ShouldBe(found);

    [Fact]
    public void OrderBy_Several_BreakTies() =>
        string.Concat(RunQuery.Parse(null, ["params.trees DESC", "run_id DESC"]).Apply(Runs).Select(r => r.Record.Id)).ShouldBe("bdca");

    [Fact]
    public void Filter_AnyText_NeverFailsOtherwise() => Gen.String[Gen.Char["metrics.param> =<!'\"`()0123andINlike,%_ "], 0, 40].Sample(text =>
    {
        try
        {
            _ = RunQuery.Parse(text).Apply(Runs);
        }
        catch (TrackingException)
        {
            // Refused with a message, as it should.
        }
    });

    private static Run Of(string id, (string Key, double Value)? metric, (string Key, string Value) param, (string Key, string Value)? tag)
    {
        var record = new RunRecord
        {
            Id = id,
            Name = id,
            Experiment = "flights",
            Status = RunStatus.Finished,
            StartedAt = new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero),
            Params = new Dictionary<string, string> { [param.Key] = param.Value },
            Tags = tag is { } t ? new Dictionary<string, string> { [t.Key] = t.Value } : [],
        };
        return new Run(record, "", metric is { } m ? new Dictionary<string, MetricPoint> { [m.Key] = new(m.Key, m.Value, 0, 0) } : []);
    }
}
