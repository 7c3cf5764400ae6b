using Spectre.Console;

namespace StreamMl.Cli.Demo;

/// <summary>The demo's output: a line that is rewritten while things move, or plain lines where nobody watches.</summary>
internal sealed class DemoScreen(bool plain)
{
    private const int PlainEvery = 5;
    private int ticks;

    public void Title(string text) => Write($"[bold]{Markup.Escape(text)}[/]", text);

    public void Heading(string text)
    {
        Console.WriteLine();
        Write($"[bold green]{Markup.Escape(text)}[/]", text);
    }

    public static void Line(string text) => Console.WriteLine(text);

    public void Progress(string text)
    {
        if (plain && ticks++ % PlainEvery == 0)
            Console.WriteLine($"  {text}");
        else if (!plain)
            Console.Write($"\r  {text}\u001b[K");
    }

    public void EndProgress()
    {
        if (!plain)
            Console.WriteLine();
    }

    private void Write(string markup, string text)
    {
        if (plain)
            Console.WriteLine(text);
        else
            AnsiConsole.MarkupLine(markup);
    }
}
