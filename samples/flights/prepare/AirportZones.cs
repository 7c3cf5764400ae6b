using NodaTime;

namespace StreamMl.FlightsPrepare;

/// <summary>
/// The time zone of every destination. Four airports of Puerto Rico and the Virgin Islands are missing from the table; they all keep
/// Atlantic time without daylight saving (America/Puerto_Rico).
/// </summary>
internal static class AirportZones
{
    private static readonly string[] Missing = ["SJU", "STT", "BQN", "PSE"];

    public static Dictionary<string, DateTimeZone> Read(string path)
    {
        var table = new RawTable(path);
        var (codes, names) = (table.Strings("faa"), table.Strings("tzone"));
        var zones = new Dictionary<string, DateTimeZone>(StringComparer.Ordinal);
        for (var i = 0; i < codes.Length; i++)
        {
            // Airports without a usable zone are left out: a flight there would fail the run, so none is guessed silently.
            if (DateTimeZoneProviders.Tzdb.GetZoneOrNull(names[i] ?? "") is { } zone)
                zones[codes[i]!] = zone;
        }

        foreach (var code in Missing)
            zones.TryAdd(code, DateTimeZoneProviders.Tzdb["America/Puerto_Rico"]);
        return zones;
    }
}
