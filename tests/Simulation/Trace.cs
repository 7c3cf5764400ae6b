using System.Text;

namespace StreamMl.Simulation.Tests;

/// <summary>The last steps of a world, and a hash of all of them: two runs of one seed must have the same.</summary>
internal sealed class Trace
{
    private const int Kept = 400;

    private readonly (int Step, string What, object? Who, long Number)[] ring = new (int, string, object?, long)[Kept];
    private long count;

    public ulong Hash { get; private set; } = 14695981039346656037;

    public int Step { get; set; }

    public void Add(string what, object? who = null, long number = 0)
    {
        ring[count++ % Kept] = (Step, what, who, number);
        Mix((ulong)Step);
        Mix((ulong)what.Length);
        Mix((ulong)number);
    }

    public override string ToString()
    {
        var text = new StringBuilder();
        for (var i = Math.Max(0, count - Kept); i < count; i++)
        {
            var (step, what, who, number) = ring[i % Kept];
            text.Append(step).Append(": ").Append(what).Append(' ').Append(who).Append(' ').Append(number).Append('\n');
        }

        return text.ToString();
    }

    private void Mix(ulong value) => Hash = (Hash ^ value) * 1099511628211;
}
