namespace StreamMl.FlightsPrepare;

/// <summary>What the registry knows of an aircraft.</summary>
internal sealed record Plane(long? Year, long? Seats)
{
    public static Dictionary<string, Plane> Read(string path)
    {
        var table = new RawTable(path);
        var (tails, years, seats) = (table.Strings("tailnum"), table.Longs("year"), table.Longs("seats"));
        return Enumerable.Range(0, tails.Length).ToDictionary(i => tails[i]!, i => new Plane(years[i], seats[i]), StringComparer.Ordinal);
    }
}
