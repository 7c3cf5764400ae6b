using Spectre.Console;
using StreamMl.Cli.Output;

namespace StreamMl.Cli.Tests.Output;

public sealed class FittedTableTests
{
    [Theory]
    [InlineData(200, "name status took auc brier")]
    [InlineData(50, "name status took auc")]
    [InlineData(38, "name status auc")]
    [InlineData(30, "name auc")]
    [InlineData(10, "name")]
    public void Fit_Width_LeavesOutTheHighestRankFirst(int width, string columns)
    {
        string[] names = ["name", "status", "took", "auc", "brier", "error"];
        string.Join(' ', Lab().Fit(width).Select(c => names[c])).ShouldBe(columns);
    }

    [Theory]
    [InlineData(40)]
    [InlineData(60)]
    [InlineData(80)]
    [InlineData(160)]
    public void Write_AnyWidth_HasOneLineForEachRowAndNamesWhatIsLeftOut(int width)
    {
        var text = new StringWriter();
        var console = AnsiConsole.Create(new AnsiConsoleSettings { Ansi = AnsiSupport.No, ColorSystem = ColorSystemSupport.NoColors, Out = new AnsiConsoleOutput(text) });
        console.Profile.Width = width;
        Lab().Write(console);
        var lines = text.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries);
        lines.ShouldAllBe(l => l.TrimEnd().Length <= width);
        lines.Count(l => l.Contains("a-rather-long-name", StringComparison.Ordinal)).ShouldBe(2);
        lines.Count(l => l.Contains("0.71", StringComparison.Ordinal)).ShouldBe(1);
        text.ToString().Contains("took", StringComparison.Ordinal).ShouldBeTrue();
        text.ToString().Contains("error", StringComparison.Ordinal).ShouldBeFalse();
    }

    [Fact]
    public void Add_LongText_IsCut()
    {
        var table = new FittedTable(new FittedColumn("name"));
        table.Add(new string('x', 100));
        table.Fit(44).ShouldHaveSingleItem();
        var text = new StringWriter();
        var console = AnsiConsole.Create(new AnsiConsoleSettings { Ansi = AnsiSupport.No, Out = new AnsiConsoleOutput(text) });
        console.Profile.Width = 80;
        table.Write(console);
        text.ToString().ShouldContain(new string('x', 39) + "…");
    }

    private static FittedTable Lab()
    {
        var table = new FittedTable(
            new FittedColumn("name"), new FittedColumn("status", 2, Color: _ => "green"), new FittedColumn("took", 3, IsRight: true), new FittedColumn("auc", 1, IsRight: true), new FittedColumn("brier", 4, IsRight: true),
            new FittedColumn("error", 1));
        table.Add("a-rather-long-name", "[x]", "1.5 s", "0.71", "0.2", "");
        table.Add("a-rather-long-name", "done", "20.5 s", "0.6", "0.2", "");
        return table;
    }
}
