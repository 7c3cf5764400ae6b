using Spectre.Console;
using StreamMl.Cli.Output;

namespace StreamMl.Cli.Tests.Output;

public sealed class SideBySideTests
{
    [Theory]
    [InlineData(2)]
    [InlineData(5)]
    public void Write_OnANarrowScreen_KeepsOneLineForEachRowAndTheFirstTwo(int things)
    {
        var table = SideBySide.Table(Enumerable.Range(0, things).Select(i => $"e990a{i}"));
        SideBySide.Add(table, "metrics.validation/eceEqualMass", Enumerable.Repeat<string?>("0.0123", things));
        SideBySide.Add(table, "definition", Enumerable.Repeat<string?>(new string('d', 64), things));
        SideBySide.Add(table, "variant", Enumerable.Repeat<string?>(null, things));
        var text = new StringWriter();
        var console = AnsiConsole.Create(new AnsiConsoleSettings { Ansi = AnsiSupport.No, ColorSystem = ColorSystemSupport.NoColors, Out = new AnsiConsoleOutput(text) });
        console.Profile.Width = 80;
        table.Write(console);
        var lines = text.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries);
        lines.ShouldAllBe(l => l.TrimEnd().Length <= 80);
        lines.Count(l => l.Contains("eceEqualMass", StringComparison.Ordinal)).ShouldBe(1);
        lines.ShouldContain(l => l.Contains("e990a0", StringComparison.Ordinal) && l.Contains("e990a1", StringComparison.Ordinal));
        text.ToString().Contains("wider screen", StringComparison.Ordinal).ShouldBe(things > 2);
    }
}
