using System.Globalization;
using System.Text;

namespace StreamMl.Training.Reports;

/// <summary>The parts of a split, where they lie in time.</summary>
internal static class Timeline
{
    private const int Width = 960;
    private const int Height = 46;

    public static string Svg(IReadOnlyList<ReportPart> parts)
    {
        var (from, to) = (parts.Min(p => p.FromUs), parts.Max(p => p.ToUs));
        var svg = new StringBuilder();
        svg.Append(CultureInfo.InvariantCulture, $"<svg viewBox=\"0 0 {Width} {Height}\" role=\"img\" aria-label=\"split by time\"><rect class=\"wash\" x=\"0\" y=\"4\" width=\"{Width}\" height=\"18\"/>");
        for (var i = 0; i < parts.Count; i++)
        {
            var (left, right) = (X(parts[i].FromUs), X(parts[i].ToUs));
            svg.Append(CultureInfo.InvariantCulture, $"<rect class=\"{(i % 2 == 0 ? "main" : "other")}\" x=\"{left:F1}\" y=\"4\" width=\"{Math.Max(1, right - left):F1}\" height=\"18\" rx=\"2\"/>");
            svg.Append(CultureInfo.InvariantCulture, $"<text x=\"{Math.Clamp((left + right) / 2, 30, Width - 30):F1}\" y=\"38\" text-anchor=\"middle\">{HtmlReport.Text(parts[i].Name)}</text>");
        }

        return svg.Append("</svg>").ToString();

        double X(long us) => to == from ? 0 : (us - from) / (double)(to - from) * Width;
    }
}
