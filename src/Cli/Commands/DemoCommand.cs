using System.CommandLine;
using System.Globalization;
using StreamMl.Cli.Demo;
using StreamMl.Shared.Definitions;

namespace StreamMl.Cli.Commands;

/// <summary><c>streamml demo</c>: the main job on real flights and embedded servers.</summary>
internal static class DemoCommand
{
    public static Command Create()
    {
        var directory = new Option<string>("--dir") { Description = "Where everything is written; what an earlier demo wrote there is replaced", DefaultValueFactory = _ => Path.Combine(".streamml", "demo") };
        var stay = new Option<bool>("--stay") { Description = "Leave the servers and the query API up until Ctrl-C" };
        var plain = new Option<bool>("--plain") { Description = "Lines of text instead of a live screen" };
        var ahead = new Option<string>("--max-ahead") { Description = "How far in time the replay may be ahead of the slowest worker while the champion serves", DefaultValueFactory = _ => "30m" };
        var from = new Option<string>("--from") { Description = "First arrival that is replayed, as 2013-05-01", DefaultValueFactory = _ => "2013-01-01" };
        var live = new Option<string>("--live-from") { Description = "Where history ends, of which the model is made, and serving begins", DefaultValueFactory = _ => "2013-10-01" };
        var until = new Option<string>("--until") { Description = "Where the replay ends", DefaultValueFactory = _ => "2014-01-02" };
        var kafka = new Option<string?>("--kafka") { Description = "A real Kafka instead of the embedded one" };
        var redis = new Option<string?>("--redis") { Description = "A real Redis instead of the embedded one" };
        var command = new Command("demo", "Real flights through Kafka into features, a training set, and the proof that both agree to the byte") { directory, stay, plain, ahead, from, live, until, kafka, redis };
        command.SetAction((arguments, stop) => new DemoRun(new DemoOptions
        {
            Directory = arguments.GetValue(directory)!,
            Stay = arguments.GetValue(stay),
            Plain = arguments.GetValue(plain) || Console.IsOutputRedirected,
            MaxAhead = Durations.TryParse(arguments.GetValue(ahead)!, out var bound) ? bound : throw new ArgumentException($"--max-ahead '{arguments.GetValue(ahead)}' is no duration, as 15m"),
            From = Time(arguments, from),
            LiveFrom = Time(arguments, live),
            Until = Time(arguments, until),
            Kafka = arguments.GetValue(kafka),
            Redis = arguments.GetValue(redis),
        }).RunAsync(stop));
        return command;
    }

    private static DateTime Time(ParseResult arguments, Option<string> option) =>
        DateTimeOffset.TryParse(arguments.GetValue(option), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time)
            ? time.UtcDateTime
            : throw new ArgumentException($"{option.Name} '{arguments.GetValue(option)}' is no time, as 2013-05-01 or 2013-05-01T08:30:00Z");
}
