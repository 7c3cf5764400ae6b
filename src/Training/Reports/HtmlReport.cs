using System.Globalization;
using System.Net;
using System.Text;

namespace StreamMl.Training.Reports;

/// <summary>A report as one HTML page with nothing outside it: no script, no font, no link. The same report gives the same bytes.</summary>
public static class HtmlReport
{
    private const int MostImportant = 25;
    private const double DayUs = 86_400e6;

    public static string Render(TrainingReport report)
    {
        var html = new StringBuilder();
        html.Append(CultureInfo.InvariantCulture, $"<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\"><title>{Text(report.Model)}</title><style>{ReportStyle.Css}</style></head><body><main>");
        html.Append(CultureInfo.InvariantCulture, $"<h1>{Text(report.Model)}</h1><p class=\"sub\">{Text(report.Task.ToLowerInvariant())} model of <b>{Text(report.Label)}</b> for service <b>{Text(report.Service)}</b> &middot; {Text(report.Trainer)}</p>");
        Warnings(html, report);
        Tiles(html, report);
        Parts(html, report);
        Curves(html, report);
        Confusion(html, report);
        Baselines(html, report);
        Importance(html, "What the model looks at", "How much the test metric falls when an input's values are shuffled; whiskers are one standard deviation over repeats.", report.Permutation);
        Importance(html, "Gain of splits", "Share of all split gain by encoded feature. Many-valued features are favoured; prefer the chart above.", report.Gain);
        Slices(html, report);
        Pairs(html, "Parameters", report.Parameters);
        Pairs(html, "Made from", report.Lineage);
        return html.Append("</main></body></html>\n").ToString();
    }

    private static void Warnings(StringBuilder html, TrainingReport report)
    {
        foreach (var warning in report.Warnings)
            html.Append(CultureInfo.InvariantCulture, $"<p class=\"warn\">{Text(warning)}</p>");
    }

    private static void Tiles(StringBuilder html, TrainingReport report)
    {
        html.Append("<section><h2>On the test part</h2><div class=\"tiles\">");
        foreach (var metric in report.Metrics)
        {
            var interval = metric is { Low: { } low, High: { } high } ? $"<div class=\"ci\">{Number(low)} &ndash; {Number(high)}</div>" : "";
            html.Append(CultureInfo.InvariantCulture, $"<div class=\"tile\"><div class=\"name\">{Text(metric.Name)}</div><div class=\"value\">{Number(metric.Value)}</div>{interval}{(metric.Note is null ? "" : $"<div class=\"note\">{Text(metric.Note)}</div>")}</div>");
        }

        html.Append("</div><p class=\"hint\">Small figures are 95% confidence intervals.</p></section>");
    }

    private static void Parts(StringBuilder html, TrainingReport report)
    {
        if (report.Parts.Count == 0)
            return;
        html.Append("<section><h2>Rows by time</h2>").Append(Timeline.Svg(report.Parts));
        html.Append("<table><tr><th>part</th><th>from</th><th>to</th><th class=\"n\">days</th><th class=\"n\">rows</th><th class=\"n\">mean label</th></tr>");
        foreach (var part in report.Parts)
            html.Append(CultureInfo.InvariantCulture, $"<tr><td>{Text(part.Name)}</td><td>{Day(part.FromUs)}</td><td>{Day(part.ToUs)}</td><td class=\"n\">{(part.ToUs - part.FromUs) / DayUs:F0}</td><td class=\"n\">{part.Rows:N0}</td><td class=\"n\">{(part.LabelMean is { } mean ? Number(mean) : "")}</td></tr>");
        html.Append("</table></section>");
    }

    private static void Curves(StringBuilder html, TrainingReport report)
    {
        if (report.Roc.Count + report.PrecisionRecall.Count + report.Calibration.Count + report.Scores.Count == 0)
            return;
        html.Append("<section><h2>Curves</h2><div class=\"plots\">");
        if (report.Roc.Count > 0)
            html.Append(Plot("ROC", new LineChart("false positive rate", "true positive rate") { Diagonal = true }.Svg(report.Roc)));
        if (report.PrecisionRecall.Count > 0)
            html.Append(Plot("Precision and recall", new LineChart("recall", "precision").Svg(report.PrecisionRecall)));
        if (report.Calibration.Count > 0)
            html.Append(Plot("Calibration", new LineChart("mean score", "share of positives") { Diagonal = true, Dots = true }.Svg([.. report.Calibration.Select(b => new ReportPoint(b.MeanScore, b.Observed))])));
        if (report.Scores.Count > 0)
            html.Append(Plot("Scores", ScoreHistogram.Svg(report.Scores)));
        html.Append("</div></section>");
    }

    private static void Confusion(StringBuilder html, TrainingReport report)
    {
        if (report.Confusion is not { } c)
            return;
        var cost = (c.FalsePositives * c.FalsePositiveCost) + (c.FalseNegatives * c.FalseNegativeCost);
        html.Append(CultureInfo.InvariantCulture, $"<section><h2>Decisions at {Number(c.Threshold)}</h2><table class=\"fit\"><tr><th></th><th class=\"n\">decided positive</th><th class=\"n\">decided negative</th></tr>");
        html.Append(CultureInfo.InvariantCulture, $"<tr><th>was positive</th><td class=\"n good\">{c.TruePositives:N0}</td><td class=\"n bad\">{c.FalseNegatives:N0}</td></tr><tr><th>was negative</th><td class=\"n bad\">{c.FalsePositives:N0}</td><td class=\"n good\">{c.TrueNegatives:N0}</td></tr></table>");
        html.Append(CultureInfo.InvariantCulture, $"<p class=\"hint\">A false positive costs {Number(c.FalsePositiveCost)}, a false negative {Number(c.FalseNegativeCost)}: {Number(cost)} in all, {Number(cost / Math.Max(1, c.TruePositives + c.FalsePositives + c.TrueNegatives + c.FalseNegatives))} a row.</p></section>");
    }

    private static void Baselines(StringBuilder html, TrainingReport report)
    {
        if (report.Baselines.Count == 0)
            return;
        var names = report.Baselines.SelectMany(b => b.Metrics.Select(m => m.Name)).Distinct(StringComparer.Ordinal).ToList();
        html.Append("<section><h2>Beside simple rules</h2><table><tr><th>rule</th>");
        foreach (var name in names)
            html.Append(CultureInfo.InvariantCulture, $"<th class=\"n\">{Text(name)}</th>");
        html.Append("</tr>");
        foreach (var row in report.Baselines.Append(new ReportBaseline("this model", report.Metrics)))
        {
            html.Append(CultureInfo.InvariantCulture, $"<tr><td>{Text(row.Name)}</td>");
            foreach (var name in names)
                html.Append(CultureInfo.InvariantCulture, $"<td class=\"n\">{(row.Metrics.FirstOrDefault(m => m.Name == name) is { } metric ? Number(metric.Value) : "")}</td>");
            html.Append("</tr>");
        }

        html.Append("</table></section>");
    }

    private static void Importance(StringBuilder html, string title, string hint, IReadOnlyList<ReportImportance> importance)
    {
        if (importance.Count == 0)
            return;
        html.Append(CultureInfo.InvariantCulture, $"<section><h2>{Text(title)}</h2><p class=\"hint\">{Text(hint)}{(importance.Count > MostImportant ? $" The first {MostImportant} of {importance.Count}." : "")}</p>");
        html.Append(BarChart.Svg([.. importance.Take(MostImportant)])).Append("</section>");
    }

    private static void Slices(StringBuilder html, TrainingReport report)
    {
        foreach (var group in report.Slices.GroupBy(s => s.Column, StringComparer.Ordinal))
        {
            var names = group.SelectMany(s => s.Metrics.Select(m => m.Name)).Distinct(StringComparer.Ordinal).ToList();
            html.Append(CultureInfo.InvariantCulture, $"<section><h2>By {Text(group.Key)}</h2><table><tr><th>{Text(group.Key)}</th><th class=\"n\">rows</th>");
            foreach (var name in names)
                html.Append(CultureInfo.InvariantCulture, $"<th class=\"n\">{Text(name)}</th>");
            html.Append("</tr>");
            foreach (var slice in group)
            {
                html.Append(CultureInfo.InvariantCulture, $"<tr><td>{Text(slice.Value)}</td><td class=\"n\">{slice.Rows:N0}</td>");
                foreach (var name in names)
                    html.Append(CultureInfo.InvariantCulture, $"<td class=\"n\">{(slice.Metrics.FirstOrDefault(m => m.Name == name) is { } m ? Cell(m) : "")}</td>");
                html.Append("</tr>");
            }

            html.Append("</table></section>");
        }
    }

    private static void Pairs(StringBuilder html, string title, IReadOnlyDictionary<string, string> pairs)
    {
        if (pairs.Count == 0)
            return;
        html.Append(CultureInfo.InvariantCulture, $"<section><h2>{Text(title)}</h2><table class=\"fit\">");
        foreach (var (name, value) in pairs)
            html.Append(CultureInfo.InvariantCulture, $"<tr><th>{Text(name)}</th><td class=\"code\">{Text(value)}</td></tr>");
        html.Append("</table></section>");
    }

    private static string Plot(string title, string svg) => $"<figure><figcaption>{Text(title)}</figcaption>{svg}</figure>";

    private static string Cell(ReportMetric metric) =>
        metric is { Low: { } low, High: { } high } ? $"{Number(metric.Value)} <span class=\"ci\">{Number(low)}&ndash;{Number(high)}</span>" : Number(metric.Value);

    private static string Day(long us) => DateTime.UnixEpoch.AddMicroseconds(us).ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);

    /// <summary>Four significant digits, without an exponent where one can do without.</summary>
    internal static string Number(double value) => double.IsNaN(value) ? "&ndash;"
        : Math.Abs(value) >= 1000 ? value.ToString("N0", CultureInfo.InvariantCulture)
        : value == 0 || Math.Abs(value) >= 0.001 ? value.ToString(Math.Abs(value) >= 10 ? "0.##" : "0.####", CultureInfo.InvariantCulture)
        : value.ToString("0.##E+0", CultureInfo.InvariantCulture);

    internal static string Text(string text) => WebUtility.HtmlEncode(text);
}
