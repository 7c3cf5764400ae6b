// dotnet run --project samples/flights/prepare -- RAW OUT
// RAW: the nycflights13 tables as Parquet; OUT: samples/flights/data.
using StreamMl.FlightsPrepare;

if (args.Length != 2)
{
    Console.Error.WriteLine("usage: dotnet run --project samples/flights/prepare -- RAW OUT");
    return 2;
}

var (raw, output) = (args[0], args[1]);
var zones = AirportZones.Read(Path.Combine(raw, "airports.parquet"));
var planes = Plane.Read(Path.Combine(raw, "planes.parquet"));
var flights = Flight.Read(Path.Combine(raw, "flights.parquet"), zones, planes);
var weather = WeatherHour.Read(Path.Combine(raw, "weather.parquet"));

Checks.Run(flights, weather, Console.Out);
Directory.CreateDirectory(output);
SampleFiles.Write(output, flights, weather);
foreach (var file in Directory.GetFiles(output, "*.parquet").Order(StringComparer.Ordinal))
    Console.WriteLine($"{Path.GetFileName(file)}: {new FileInfo(file).Length:N0} bytes");
return 0;
