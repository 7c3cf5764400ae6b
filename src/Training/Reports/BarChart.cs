using System.Globalization;
using System.Text;

namespace StreamMl.Training.Reports;

/// <summary>Named bars, one below the other, with whiskers where there is a spread.</summary>
internal static class BarChart
{
    private const int Width = 960;
    private const int RowHeight = 22;
    private const int NameWidth = 330;
    private const int ValueWidth = 70;

    public static string Svg(IReadOnlyList<ReportImportance> bars)
    {
        var most = Math.Max(double.Epsilon, bars.Max(b => Math.Abs(b.Value) + (b.Spread ?? 0)));
        var scale = (Width - NameWidth - ValueWidth - 10) / most;
        var svg = new StringBuilder();
        svg.Append(CultureInfo.InvariantCulture, $"<svg viewBox=\"0 0 {Width} {(bars.Count * RowHeight) + 4}\" role=\"img\" aria-label=\"importance\">");
        for (var i = 0; i < bars.Count; i++)
        {
            var (y, length) = (i * RowHeight, Math.Max(0, bars[i].Value) * scale);
            svg.Append(CultureInfo.InvariantCulture, $"<text class=\"ink\" x=\"{NameWidth - 8}\" y=\"{y + 15}\" text-anchor=\"end\">{HtmlReport.Text(Short(bars[i].Name))}</text><rect class=\"main\" x=\"{NameWidth}\" y=\"{y + 4}\" width=\"{length:F1}\" height=\"{RowHeight - 8}\" rx=\"2\"/>");
            if (bars[i].Spread is { } spread)
                svg.Append(CultureInfo.InvariantCulture, $"<line class=\"whisker\" x1=\"{NameWidth + Math.Max(0, length - (spread * scale)):F1}\" x2=\"{NameWidth + length + (spread * scale):F1}\" y1=\"{y + (RowHeight / 2)}\" y2=\"{y + (RowHeight / 2)}\"/>");
            svg.Append(CultureInfo.InvariantCulture, $"<text x=\"{Width - 4}\" y=\"{y + 15}\" text-anchor=\"end\">{HtmlReport.Number(bars[i].Value)}</text>");
        }

        return svg.Append("</svg>").ToString();
    }

    private static string Short(string name) => name.Length <= 48 ? name : name[..45] + "...";
}
