using System.Globalization;
using NodaTime;
using NodaTime.Text;
using NodaTime.TimeZones;

namespace StreamMl.FlightsPrepare;

/// <summary>One scheduled flight with its times in UTC.</summary>
internal sealed record Flight
{
    private static readonly DateTimeZone NewYork = DateTimeZoneProviders.Tzdb["America/New_York"];
    private static readonly InstantPattern HourPattern = InstantPattern.CreateWithInvariantCulture("uuuu-MM-dd'T'HH:mm:ss'Z'");
    private static readonly InstantPattern IdPattern = InstantPattern.CreateWithInvariantCulture("uuuu-MM-dd'T'HH:mm'Z'");

    public required string Id { get; init; }
    public required string Carrier { get; init; }
    public required long Number { get; init; }
    public required string? Tail { get; init; }
    public required string Origin { get; init; }
    public required string Dest { get; init; }
    public required Instant ScheduledDeparture { get; init; }
    public required Instant ScheduledArrival { get; init; }
    public required LocalDateTime LocalDeparture { get; init; }
    public required long Distance { get; init; }
    public required long? DepartureDelay { get; init; }
    public required long? ArrivalDelay { get; init; }
    public required long? AirTime { get; init; }
    public required Plane? Plane { get; init; }

    public Instant Known => ScheduledDeparture - Duration.FromMinutes(30);

    public Instant? Departure => DepartureDelay is { } minutes ? ScheduledDeparture + Duration.FromMinutes(minutes) : null;

    public Instant? Landing => ArrivalDelay is { } minutes ? ScheduledArrival + Duration.FromMinutes(minutes) : null;

    public static List<Flight> Read(string path, Dictionary<string, DateTimeZone> zones, Dictionary<string, Plane> planes)
    {
        var table = new RawTable(path);
        var (carriers, numbers, tails) = (table.Strings("carrier"), table.Longs("flight"), table.Strings("tailnum"));
        var (origins, dests, distances) = (table.Strings("origin"), table.Strings("dest"), table.Longs("distance"));
        var (hours, minutes, arrivals) = (table.Strings("time_hour"), table.Longs("minute"), table.Longs("sched_arr_time"));
        var (depDelays, arrDelays, airTimes) = (table.Longs("dep_delay"), table.Longs("arr_delay"), table.Longs("air_time"));
        var flights = new List<Flight>(carriers.Length);
        for (var i = 0; i < carriers.Length; i++)
        {
            var departure = HourPattern.Parse(hours[i]!).Value + Duration.FromMinutes(minutes[i]!.Value);
            var local = departure.InZone(NewYork).LocalDateTime;
            flights.Add(new Flight
            {
                Id = string.Create(CultureInfo.InvariantCulture, $"{IdPattern.Format(departure)}/{carriers[i]}{numbers[i]}/{origins[i]}"),
                Carrier = carriers[i]!,
                Number = numbers[i]!.Value,
                Tail = tails[i],
                Origin = origins[i]!,
                Dest = dests[i]!,
                ScheduledDeparture = departure,
                ScheduledArrival = ArrivalAfter(departure, local.Date, arrivals[i]!.Value, zones[dests[i]!]),
                LocalDeparture = local,
                Distance = distances[i]!.Value,
                DepartureDelay = depDelays[i],
                ArrivalDelay = arrDelays[i],
                AirTime = airTimes[i],
                Plane = tails[i] is { } tail ? planes.GetValueOrDefault(tail) : null,
            });
        }

        return flights;
    }

    /// <summary>Local HHMM at the destination on the day of departure; the next day where that lies before the departure. 2400 is midnight at the day's end.</summary>
    private static Instant ArrivalAfter(Instant departure, LocalDate day, long hhmm, DateTimeZone zone)
    {
        var local = day.AtMidnight().PlusMinutes((hhmm / 100 * 60) + (hhmm % 100));
        var arrival = zone.ResolveLocal(local, Resolvers.LenientResolver).ToInstant();
        return arrival >= departure ? arrival : zone.ResolveLocal(local.PlusDays(1), Resolvers.LenientResolver).ToInstant();
    }
}
