namespace StreamMl.BatchBackfill.Tests;

/// <summary>Random events: several days, bursts and gaps, late and future ones, dead letters, nulls, clocks that go back.</summary>
internal static class LogGen
{
    private static readonly string[] Origins = ["JFK", "EWR", "LGA", "BOS", "a|b", "SFO"];

    public static List<LabEvent> Events(Random random, int count, string prefix = "e")
    {
        var events = new List<LabEvent>(count);
        var now = BackfillLab.Start;
        for (var i = 0; i < count; i++)
        {
            now += random.Next(20) switch { 0 => random.NextInt64(30 * BackfillLab.Hour), < 8 => 0, _ => random.NextInt64(BackfillLab.Hour / 2) };
            var eventUs = now - random.Next(6) switch { 0 => random.NextInt64(40 * BackfillLab.Hour), 1 => -random.NextInt64(BackfillLab.Hour), _ => random.NextInt64(BackfillLab.Hour / 6) };
            if (random.Next(30) == 0)
                eventUs = now + (2 * BackfillLab.Hour);
            var arrival = random.Next(10) == 0 ? now - random.NextInt64(BackfillLab.Hour) : now;
            events.Add(new LabEvent(
                arrival, Math.Min(eventUs, arrival + (random.Next(30) == 0 ? 2 * BackfillLab.Hour : BackfillLab.Hour)), $"{(random.Next(40) == 0 ? "broken" : prefix)}{i}",
                Origins[random.Next(Origins.Length)], random.Next(8) == 0 ? null : Origins[random.Next(3)],
                random.Next(8) == 0 ? null : random.Next(-40, 200) / 4.0, random.Next(3) == 0 ? null : $"note {i}"));
        }

        return events;
    }

    public static List<(long TimeUs, string? Origin, string? Dest)> Spine(Random random, int count, IReadOnlyList<LabEvent> events)
    {
        var rows = new HashSet<(long, string?, string?)>();
        while (rows.Count < count)
        {
            var near = events[random.Next(events.Count)].ArrivalUs + (random.Next(3) == 0 ? 0 : random.NextInt64(3 * BackfillLab.Hour));
            rows.Add((Math.Max(near, BackfillLab.Start - BackfillLab.Hour), random.Next(10) == 0 ? "nowhere" : Origins[random.Next(Origins.Length)], random.Next(6) == 0 ? null : Origins[random.Next(4)]));
        }

        return [.. rows];
    }
}
