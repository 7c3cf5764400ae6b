using System.Text;
using System.Xml.Linq;
using StreamMl.Training.Reports;

namespace StreamMl.Training.Tests.Reports;

public sealed class HtmlReportTests
{
    [Fact]
    public void Render_NamesWithMarkup_AreText()
    {
        var html = HtmlReport.Render(Sample() with { Model = "<script>alert(1)</script>", Warnings = ["a < b & c"] });
        html.ShouldNotContain("<script");
        html.ShouldContain("a &lt; b &amp; c");
    }

    [Fact]
    public void Render_NothingButMetrics_HasNoEmptySections()
    {
        var html = HtmlReport.Render(new TrainingReport { Model = "m", Service = "s", Task = "Binary", Label = "l", Trainer = "t", Metrics = [new("ROC-AUC", 0.5)] });
        html.ShouldNotContain("<svg");
        html.Split("<h2>").Length.ShouldBe(2);
    }

    [Fact]
    public void Render_AnyReport_NamesNothingOutsideItselfAndItsPicturesAreWellFormed()
    {
        var html = HtmlReport.Render(Sample());
        html.ShouldNotContain("http");
        html.ShouldNotContain("<script");
        foreach (var svg in html.Split("<svg").Skip(1).Select(s => "<svg" + s[..(s.IndexOf("</svg>", StringComparison.Ordinal) + 6)]))
            Should.NotThrow(() => XElement.Parse(svg.Replace("&ndash;", "-", StringComparison.Ordinal)));
        HtmlReport.Render(Sample()).ShouldBe(html);
    }

    [Fact]
    public void Json_ReadBack_IsTheSameBytes()
    {
        var json = Sample().ToJson();
        Encoding.UTF8.GetString(TrainingReport.FromJson(json).ToJson()).ShouldBe(Encoding.UTF8.GetString(json));
    }

    internal static TrainingReport Sample() => new()
    {
        Model = "late",
        Service = "arrival_delay",
        Task = "Binary",
        Label = "late",
        Trainer = "lightgbm, 200 trees x 31 leaves",
        Parts = [new("train", 0, 200 * 86_400_000_000, 190_000, 0.24), new("validation", 206 * 86_400_000_000, 236 * 86_400_000_000, 27_000, 0.2), new("test", 240 * 86_400_000_000, 330 * 86_400_000_000, 83_000, 0.22)],
        Metrics = [new("ROC-AUC", 0.7712, 0.768, 0.774), new("log loss", 0.456), new("ECE", 0.0123, null, null, "10 bins of equal mass")],
        Baselines = [new("majority", [new("ROC-AUC", 0.5), new("log loss", 0.55)]), new("rate by origin", [new("ROC-AUC", 0.514)])],
        Roc = [.. Enumerable.Range(0, 101).Select(i => new ReportPoint(i / 100.0, Math.Sqrt(i / 100.0)))],
        PrecisionRecall = [.. Enumerable.Range(0, 101).Select(i => new ReportPoint(i / 100.0, 1 - (0.7 * i / 100.0)))],
        Calibration = [.. Enumerable.Range(0, 10).Select(i => new ReportCalibrationBin((i + 0.5) / 10, (i + 0.4) / 10, 8_300))],
        Scores = [.. Enumerable.Range(0, 20).Select(i => new ReportHistogramBin(i / 20.0, (i + 1) / 20.0, 100 + (i * 40), 4_000 / (i + 1)))],
        Confusion = new(0.31, 9_000, 7_000, 58_000, 9_000, 1, 2.5),
        Permutation = [new("origin_departed.mean_late_1h", 0.021, 0.002), new("sched_dep_minute", 0.012, 0.001), new("carrier", 0.004, 0.0005)],
        Gain = [new("origin_departed.mean_late_1h", 0.2), new("sched_dep_minute", 0.1)],
        Slices = [new("carrier", "AA", 9_000, [new("ROC-AUC", 0.76, 0.75, 0.77)]), new("carrier", "UA", 19_000, [new("ROC-AUC", 0.78, 0.77, 0.79)])],
        Warnings = ["12 rows have no label and were left out."],
        Parameters = new SortedDictionary<string, string>(StringComparer.Ordinal) { ["trees"] = "200", ["leaves"] = "31" },
        Lineage = new SortedDictionary<string, string>(StringComparer.Ordinal) { ["training set"] = "0123456789abcdef" },
    };
}
