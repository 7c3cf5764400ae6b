using NodaTime;
using ParquetSharp;

namespace StreamMl.FlightsPrepare;

/// <summary>Writes the sample's two files, each in order of time (ties by flight id or airport), so that the same input gives the same bytes.</summary>
internal static class SampleFiles
{
    private const int RowGroupRows = 400_000;

    public static void Write(string folder, List<Flight> flights, List<WeatherHour> weather)
    {
        // One row a flight, in order of its schedule; the three sources are mapped from it (samples/flights/mapping.yaml).
        WriteColumns(Path.Combine(folder, "flights.parquet"), [.. flights.OrderBy(f => f.ScheduledDeparture).ThenBy(f => f.Id, StringComparer.Ordinal)],
        [
            new ColumnOf<Flight, string>("flight_id", f => f.Id) { Encoding = Encoding.DeltaByteArray },
            new ColumnOf<Flight, string>("carrier", f => f.Carrier), Int("flight", f => (int)f.Number), new ColumnOf<Flight, string?>("tailnum", f => f.Tail),
            new ColumnOf<Flight, string>("origin", f => f.Origin), new ColumnOf<Flight, string>("dest", f => f.Dest),
            Time("sched_dep", f => f.ScheduledDeparture), Time("sched_arr", f => f.ScheduledArrival),
            Int("sched_dep_minute", f => (f.LocalDeparture.Hour * 60) + f.LocalDeparture.Minute),
            Int("day_of_week", f => (int)f.LocalDeparture.DayOfWeek), Int("month", f => f.LocalDeparture.Month), Int("distance", f => (int)f.Distance),
            OptionalInt("plane_year", f => f.Plane?.Year), OptionalInt("plane_seats", f => f.Plane?.Seats),
            OptionalInt("dep_delay", f => f.DepartureDelay), OptionalInt("arr_delay", f => f.ArrivalDelay), OptionalInt("air_time", f => f.AirTime),
        ]);
        WriteColumns(Path.Combine(folder, "weather.parquet"), [.. weather.OrderBy(w => w.Hour).ThenBy(w => w.Origin, StringComparer.Ordinal)],
        [
            new ColumnOf<WeatherHour, string>("origin", w => w.Origin),
            new TimeColumn<WeatherHour>("hour", w => w.Hour),
            .. WeatherHour.MeasureNames.Select((name, i) => (ColumnOf<WeatherHour>)new ColumnOf<WeatherHour, double?>(name, w => w.Measures[i])),
        ]);
    }

    private static ColumnOf<Flight> Int(string name, Func<Flight, int> value) => new ColumnOf<Flight, int>(name, value);

    private static ColumnOf<Flight> OptionalInt(string name, Func<Flight, long?> value) => new ColumnOf<Flight, int?>(name, f => (int?)value(f));

    private static ColumnOf<Flight> Time(string name, Func<Flight, Instant> value) => new TimeColumn<Flight>(name, value) { Encoding = Encoding.DeltaBinaryPacked };

    private static void WriteColumns<T>(string path, List<T> rows, ColumnOf<T>[] columns)
    {
        using var builder = new WriterPropertiesBuilder().Compression(Compression.Zstd).CompressionLevel(19);
        foreach (var column in columns.Where(c => c.Encoding is not null))
            builder.DisableDictionary(column.Name).Encoding(column.Name, column.Encoding!.Value);
        using var properties = builder.Build();
        using var file = new ParquetFileWriter(path, [.. columns.Select(c => c.Declare())], properties);
        for (var from = 0; from < rows.Count; from += RowGroupRows)
        {
            using var group = file.AppendRowGroup();
            foreach (var column in columns)
                column.Write(group, rows, from, Math.Min(RowGroupRows, rows.Count - from));
        }

        file.Close();
    }
}
