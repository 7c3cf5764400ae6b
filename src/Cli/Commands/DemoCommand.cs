using System.CommandLine;
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
        var ahead = new Option<string>("--max-ahead") { Description = "How far in time the replay may be ahead of the slowest worker while the champion serves", DefaultValueFactory = _ => "1h" };
        var from = new Option<DateTimeOffset>("--from") { Description = "First arrival that is replayed", DefaultValueFactory = _ => DateTimeOffset.UnixEpoch };
        var live = new Option<DateTimeOffset>("--live-from") { Description = "Where history ends, of which the model is made, and serving begins", DefaultValueFactory = _ => new DateTimeOffset(2013, 10, 1, 0, 0, 0, TimeSpan.Zero) };
        var until = new Option<DateTimeOffset>("--until") { Description = "Where the replay ends", DefaultValueFactory = _ => new DateTimeOffset(2014, 1, 2, 0, 0, 0, TimeSpan.Zero) };
        var kafka = new Option<string?>("--kafka") { Description = "A real Kafka instead of the embedded one" };
        var redis = new Option<string?>("--redis") { Description = "A real Redis instead of the embedded one" };
        var command = new Command("demo", "Real flights through Kafka into features, a training set, and the proof that both agree to the byte") { directory, stay, plain, ahead, from, live, until, kafka, redis };
        command.SetAction((arguments, stop) => new DemoRun(new DemoOptions
        {
            Directory = arguments.GetValue(directory)!,
            Stay = arguments.GetValue(stay),
            Plain = arguments.GetValue(plain) || Console.IsOutputRedirected,
            MaxAhead = Durations.TryParse(arguments.GetValue(ahead)!, out var bound) ? bound : throw new ArgumentException($"--max-ahead '{arguments.GetValue(ahead)}' is no duration, as 15m"),
            From = arguments.GetValue(from).UtcDateTime,
            LiveFrom = arguments.GetValue(live).UtcDateTime,
            Until = arguments.GetValue(until).UtcDateTime,
            Kafka = arguments.GetValue(kafka),
            Redis = arguments.GetValue(redis),
        }).RunAsync(stop));
        return command;
    }
}
