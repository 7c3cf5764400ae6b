using System.Globalization;
using System.Text;

namespace StreamMl.Training.Reports;

/// <summary>A curve over the unit square.</summary>
internal sealed class LineChart(string xTitle, string yTitle)
{
    private const int Width = 440;
    private const int Height = 330;
    private const int Left = 52;
    private const int Bottom = 40;
    private const int Edge = 10;

    /// <summary>Draws y = x, for what is to be compared with it.</summary>
    public bool Diagonal { get; init; }

    /// <summary>Marks every point.</summary>
    public bool Dots { get; init; }

    public string Svg(IReadOnlyList<ReportPoint> points)
    {
        var svg = new StringBuilder();
        svg.Append(CultureInfo.InvariantCulture, $"<svg viewBox=\"0 0 {Width} {Height}\" role=\"img\" aria-label=\"{HtmlReport.Text(yTitle)} by {HtmlReport.Text(xTitle)}\">");
        for (var i = 0; i <= 5; i++)
        {
            var at = i / 5.0;
            svg.Append(CultureInfo.InvariantCulture, $"<line class=\"axis\" x1=\"{X(at):F1}\" y1=\"{Y(0):F1}\" x2=\"{X(at):F1}\" y2=\"{Y(1):F1}\"/><line class=\"axis\" x1=\"{X(0):F1}\" y1=\"{Y(at):F1}\" x2=\"{X(1):F1}\" y2=\"{Y(at):F1}\"/>");
            svg.Append(CultureInfo.InvariantCulture, $"<text x=\"{X(at):F1}\" y=\"{Height - Bottom + 16}\" text-anchor=\"middle\">{at:0.0}</text><text x=\"{Left - 6}\" y=\"{Y(at) + 4:F1}\" text-anchor=\"end\">{at:0.0}</text>");
        }

        if (Diagonal)
            svg.Append(CultureInfo.InvariantCulture, $"<line class=\"diagonal\" x1=\"{X(0):F1}\" y1=\"{Y(0):F1}\" x2=\"{X(1):F1}\" y2=\"{Y(1):F1}\"/>");
        svg.Append("<polyline class=\"curve\" points=\"").AppendJoin(' ', points.Select(p => string.Create(CultureInfo.InvariantCulture, $"{X(p.X):F1},{Y(p.Y):F1}"))).Append("\"/>");
        foreach (var point in Dots ? points : [])
            svg.Append(CultureInfo.InvariantCulture, $"<circle class=\"main\" cx=\"{X(point.X):F1}\" cy=\"{Y(point.Y):F1}\" r=\"3.5\"/>");
        svg.Append(CultureInfo.InvariantCulture, $"<text x=\"{X(0.5):F1}\" y=\"{Height - 6}\" text-anchor=\"middle\">{HtmlReport.Text(xTitle)}</text><text x=\"14\" y=\"{Y(0.5):F1}\" text-anchor=\"middle\" transform=\"rotate(-90 14 {Y(0.5):F1})\">{HtmlReport.Text(yTitle)}</text>");
        return svg.Append("</svg>").ToString();
    }

    private static double X(double x) => Left + (x * (Width - Left - Edge));

    private static double Y(double y) => Edge + ((1 - y) * (Height - Bottom - Edge));
}
