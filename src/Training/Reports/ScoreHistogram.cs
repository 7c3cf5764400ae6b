using System.Globalization;
using System.Text;

namespace StreamMl.Training.Reports;

/// <summary>Where the scores of positives and of negatives lie, each as shares of its own class, so that a rare class can be seen.</summary>
internal static class ScoreHistogram
{
    private const int Width = 440;
    private const int Height = 330;
    private const int Left = 12;
    private const int Bottom = 40;
    private const int Top = 28;

    public static string Svg(IReadOnlyList<ReportHistogramBin> bins)
    {
        double positives = Math.Max(1, bins.Sum(b => b.Positives)), negatives = Math.Max(1, bins.Sum(b => b.Negatives));
        var most = bins.Max(b => Math.Max(b.Positives / positives, b.Negatives / negatives));
        var (from, to) = (bins[0].From, bins[^1].To);
        var svg = new StringBuilder();
        svg.Append(CultureInfo.InvariantCulture, $"<svg viewBox=\"0 0 {Width} {Height}\" role=\"img\" aria-label=\"scores by label\">");
        foreach (var bin in bins)
        {
            var (x, width) = (X(bin.From), X(bin.To) - X(bin.From));
            Bar(svg, "other", x + (width * 0.06), width * 0.42, bin.Negatives / negatives / most);
            Bar(svg, "main", x + (width * 0.5), width * 0.42, bin.Positives / positives / most);
        }

        svg.Append(CultureInfo.InvariantCulture, $"<line class=\"axis\" x1=\"{Left}\" x2=\"{Width - Left}\" y1=\"{Height - Bottom}\" y2=\"{Height - Bottom}\"/>");
        for (var i = 0; i <= 4; i++)
            svg.Append(CultureInfo.InvariantCulture, $"<text x=\"{X(from + ((to - from) * i / 4)):F1}\" y=\"{Height - Bottom + 16}\" text-anchor=\"middle\">{HtmlReport.Number(from + ((to - from) * i / 4))}</text>");
        svg.Append(CultureInfo.InvariantCulture, $"<text x=\"{Width / 2}\" y=\"{Height - 6}\" text-anchor=\"middle\">score</text>");
        svg.Append(CultureInfo.InvariantCulture, $"<rect class=\"other\" x=\"{Left}\" y=\"6\" width=\"10\" height=\"10\"/><text x=\"{Left + 15}\" y=\"15\">label 0 ({negatives:N0})</text><rect class=\"main\" x=\"{Left + 150}\" y=\"6\" width=\"10\" height=\"10\"/><text x=\"{Left + 165}\" y=\"15\">label 1 ({positives:N0})</text>");
        return svg.Append("</svg>").ToString();

        double X(double value) => Left + ((value - from) / (to - from) * (Width - (2 * Left)));
    }

    private static void Bar(StringBuilder svg, string kind, double x, double width, double share)
    {
        var height = share * (Height - Bottom - Top);
        svg.Append(CultureInfo.InvariantCulture, $"<rect class=\"{kind}\" x=\"{x:F1}\" y=\"{Height - Bottom - height:F1}\" width=\"{width:F1}\" height=\"{height:F1}\"/>");
    }
}
