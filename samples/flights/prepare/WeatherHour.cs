using NodaTime;
using NodaTime.Text;

namespace StreamMl.FlightsPrepare;

/// <summary>One hourly observation; measures in the order of <see cref="MeasureNames"/>.</summary>
internal sealed record WeatherHour(string Origin, Instant Hour, double?[] Measures)
{
    public static readonly string[] MeasureNames = ["temp", "dewp", "humid", "wind_dir", "wind_speed", "wind_gust", "precip", "pressure", "visib"];

    public static List<WeatherHour> Read(string path)
    {
        var table = new RawTable(path);
        var (origins, hours) = (table.Strings("origin"), table.Strings("time_hour"));
        var measures = MeasureNames.Select(name => name == "wind_dir" ? [.. table.Longs(name).Select(v => (double?)v)] : table.Doubles(name)).ToArray();
        var pattern = InstantPattern.CreateWithInvariantCulture("uuuu-MM-dd'T'HH:mm:ss'Z'");
        return [.. Enumerable.Range(0, origins.Length).Select(i => new WeatherHour(origins[i]!, pattern.Parse(hours[i]!).Value, [.. measures.Select(m => m[i])]))];
    }
}
