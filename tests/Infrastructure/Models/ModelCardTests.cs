using StreamMl.Infrastructure.Models;
using StreamMl.Shared.Models;

namespace StreamMl.Infrastructure.Tests.Models;

public sealed class ModelCardTests
{
    [Fact]
    public void Write_NothingWritten_NamesEveryMissingSection()
    {
        var card = ModelCard.Write(ModelLab.Manifest(), null, new Dictionary<string, string>());
        foreach (var key in ModelCard.Questions.Keys)
            card.ShouldContain($"**Missing: {key}**");
        string[] headings = ["Model details", "Intended use", "Factors", "Metrics", "Evaluation data", "Training data", "Quantitative analyses", "Ethical considerations", "Caveats and recommendations"];
        card.Split('\n').Where(l => l.StartsWith("## ", StringComparison.Ordinal)).ShouldBe(headings.Select(h => "## " + h));
    }

    [Fact]
    public void Write_AllWritten_MissesNothing()
    {
        var metrics = new ModelMetrics
        {
            Main = "auc",
            Splits = [Part("train", 0.8), Part("test", 0.77)],
            Slices = [new SliceMetrics("origin", "JFK", 10, new Dictionary<string, MetricEstimate> { ["auc"] = new(0.71, 0.69, 0.73) })],
            Threshold = 0.4,
        };
        var manifest = ModelLab.Manifest();
        manifest = manifest with { Lineage = manifest.Lineage with { GitCommit = "c0ffee" } };
        var card = ModelCard.Write(manifest, metrics, ModelCard.Questions.Keys.ToDictionary(k => k, k => $"About {k}."));
        card.ShouldNotContain("issing");
        card.ShouldContain("| origin = JFK | 10 | 0.71 (0.69 to 0.73) |");
        card.ShouldContain("About caveats.");
        Should.Throw<ModelException>(() => ModelCard.Write(manifest, metrics, new Dictionary<string, string> { ["fairness"] = "" })).Message.ShouldContain("ethicalConsiderations");

        static SplitMetrics Part(string name, double auc) => new(name, 1_000, "2013-02-01", "2013-08-31", new Dictionary<string, MetricEstimate> { ["auc"] = new(auc) });
    }

    [Fact]
    public async Task Publish_WithoutACard_WritesOne()
    {
        using var lab = new ModelLab();
        var folder = lab.Store.Open(await lab.PublishAsync());
        System.Text.Encoding.UTF8.GetString(folder.Read(ModelFiles.Card)).ShouldStartWith("# Model card: late");
    }

    [Fact]
    public void Metrics_WrittenAndRead_AreTheSame()
    {
        var metrics = new ModelMetrics { Main = "auc", Splits = [new SplitMetrics("test", 3, null, null, new Dictionary<string, MetricEstimate> { ["b"] = new(double.NaN), ["a"] = new(1, 0.5, 2) })] };
        var json = metrics.ToJson();
        ModelMetrics.Parse(json, "test").ToJson().ShouldBe(json);
        System.Text.Encoding.UTF8.GetString(json).IndexOf("\"a\"", StringComparison.Ordinal).ShouldBeLessThan(System.Text.Encoding.UTF8.GetString(json).IndexOf("\"b\"", StringComparison.Ordinal));
    }
}
