using System.Globalization;
using Spectre.Console;

namespace StreamMl.Cli.Output;

/// <summary>
/// A table of one line per row on any screen: columns that do not fit are left out, and named below it, rather than wrapped. Columns that are empty are left out everywhere. Not
/// thread-safe.
/// </summary>
internal sealed class FittedTable(params FittedColumn[] columns)
{
    /// <summary>Between columns: a space on either side and one for the border.</summary>
    private const int Between = 3;

    private const int MaxCell = 40;
    private readonly List<string[]> rows = [];

    /// <param name="cells">Plain text, one per column; no markup. What is longer than 40 characters is cut.</param>
    public void Add(params string[] cells) => rows.Add(Array.ConvertAll(cells, c => c.Length <= MaxCell ? c : c[..(MaxCell - 1)] + "…"));

    /// <summary>Writes it as wide as the screen is; where output is no screen, as COLUMNS says, else 80.</summary>
    public void Write()
    {
        if (Console.IsOutputRedirected && int.TryParse(Environment.GetEnvironmentVariable("COLUMNS"), NumberStyles.None, CultureInfo.InvariantCulture, out var asked) && asked > 0)
            AnsiConsole.Profile.Width = asked;
        Write(AnsiConsole.Console);
    }

    public void Write(IAnsiConsole console)
    {
        var shown = Fit(console.Profile.Width);
        var table = new Table().Border(TableBorder.Simple);
        foreach (var c in shown)
            table.AddColumn(new TableColumn(Markup.Escape(columns[c].Title)) { Alignment = columns[c].IsRight ? Justify.Right : Justify.Left, NoWrap = true });
        foreach (var row in rows)
            table.AddRow([.. shown.Select(c => Cell(columns[c], row[c]))]);
        console.Write(table);
        string[] hidden = [.. Enumerable.Range(0, columns.Length).Where(c => !shown.Contains(c) && !IsEmpty(c)).Select(c => columns[c].Title)];
        if (hidden.Length > 0)
            console.MarkupLine($"[grey]a wider screen, or --json, also has {Markup.Escape(string.Join(", ", hidden))}[/]");
    }

    /// <summary>The columns that are shown at a width, in their order.</summary>
    public IReadOnlyList<int> Fit(int width)
    {
        List<int> shown = [.. Enumerable.Range(0, columns.Length).Where(c => columns[c].Rank == 0 || !IsEmpty(c))];
        while (shown.Sum(c => Width(c) + Between) + 1 > width && shown.Exists(c => columns[c].Rank > 0))
            shown.Remove(shown.OrderByDescending(c => columns[c].Rank).ThenByDescending(c => c).First());
        return shown;
    }

    private int Width(int c) => rows.Select(r => r[c].Length).Append(columns[c].Title.Length).Max();

    private bool IsEmpty(int c) => rows.TrueForAll(r => r[c].Length == 0);

    private static string Cell(FittedColumn column, string text) =>
        column.Color?.Invoke(text) is { } color ? $"[{color}]{Markup.Escape(text)}[/]" : Markup.Escape(text);
}
