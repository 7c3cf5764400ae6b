namespace StreamMl.FlightsPrepare;

/// <summary>What must hold before anything is written; the sample's README quotes the figures.</summary>
internal static class Checks
{
    public static void Run(List<Flight> flights, List<WeatherHour> weather, TextWriter output)
    {
        var landed = flights.Where(f => f.Landing is not null).ToList();
        // What is left of the time between take-off and landing after the air time is taxiing: it tells a wrong zone or day at once.
        var taxi = landed.Select(f => (f.Landing!.Value - f.Departure!.Value).TotalMinutes - f.AirTime!.Value).Order().ToList();
        var scheduled = flights.Select(f => (f.ScheduledArrival - f.ScheduledDeparture).TotalMinutes).Order().ToList();
        var duplicates = flights.GroupBy(f => f.Id, StringComparer.Ordinal).Where(g => g.Count() > 1).ToList();
        output.WriteLine($"flights {flights.Count:N0}, departed {flights.Count(f => f.Departure is not null):N0}, landed {landed.Count:N0}, without tail number {flights.Count(f => f.Tail is null):N0}");
        output.WriteLine($"landing - departure - air time: {taxi[0]} to {taxi[^1]} minutes, median {taxi[taxi.Count / 2]}");
        output.WriteLine($"scheduled duration: {scheduled[0]} to {scheduled[^1]} minutes, median {scheduled[scheduled.Count / 2]}");
        output.WriteLine($"arrives more than 15 minutes late: {100.0 * landed.Count(f => f.ArrivalDelay > 15) / landed.Count:F1}%");
        output.WriteLine($"duplicate flight ids: {duplicates.Count}; duplicate weather hours: {weather.Count - weather.DistinctBy(w => (w.Origin, w.Hour)).Count()}");
        output.WriteLine($"known after it left (early departures by more than 30 minutes): {flights.Count(f => f.Departure < f.Known)}");
        Require(duplicates.Count == 0, $"flight id {duplicates.FirstOrDefault()?.Key} stands for more than one flight");
        Require(taxi[0] > 0 && taxi[^1] < 240, $"a flight taxied {taxi[0]} or {taxi[^1]} minutes: a time zone or a day is wrong");
        Require(flights.All(f => f.Departure is not null || f.Landing is null), "a flight landed that never left");
    }

    private static void Require(bool holds, string message)
    {
        if (!holds)
            throw new InvalidDataException(message);
    }
}
