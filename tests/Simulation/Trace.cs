using System.Text;

namespace StreamMl.Simulation.Tests;

/// <summary>
/// The last steps of a world, and those around the moment from which on it stood still, where it does; and a hash of all of them: two runs of one seed must have the same.
/// </summary>
internal sealed class Trace
{
    private const int Kept = 400;

    private readonly (int Step, string What, object? Who, long Number)[] ring = new (int, string, object?, long)[Kept];
    private long count;
    private long reached = -1;
    private long movedAt;
    private string? standstill;

    public ulong Hash { get; private set; } = 14695981039346656037;

    public int Step { get; set; }

    /// <summary>The step at which <see cref="Reached"/> was last told something new.</summary>
    public int MovedAtStep { get; private set; }

    /// <summary>Told now and then how far the positions are, all together. Where that does not change any more, the steps before and after the last change are kept: the last ones of all say nothing.</summary>
    public void Reached(long positions)
    {
        if (positions != reached)
            (reached, movedAt, MovedAtStep, standstill) = (positions, count, Step, null);
        else if (standstill is null && count - movedAt >= Kept / 2)
            standstill = Last(Kept);
    }

    public void Add(string what, object? who = null, long number = 0)
    {
        ring[count++ % Kept] = (Step, what, who, number);
        Mix((ulong)Step);
        Mix((ulong)what.Length);
        Mix((ulong)number);
    }

    public override string ToString() => standstill is null ? Last(Kept)
        : $"around step {MovedAtStep}, after which no position moved:\n{standstill}\nthe last steps:\n{Last(Kept / 8)}";

    private string Last(int steps)
    {
        var text = new StringBuilder();
        for (var i = Math.Max(0, count - steps); i < count; i++)
        {
            var (step, what, who, number) = ring[i % Kept];
            text.Append(step).Append(": ").Append(what).Append(' ').Append(who).Append(' ').Append(number).Append('\n');
        }

        return text.ToString();
    }

    private void Mix(ulong value) => Hash = (Hash ^ value) * 1099511628211;
}
