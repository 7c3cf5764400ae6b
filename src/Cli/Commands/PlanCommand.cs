using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Serialization;
using StreamMl.Cli.Hosting;
using StreamMl.FeatureEngine.Planning;
using StreamMl.Infrastructure.Avro;
using StreamMl.Infrastructure.Hosting;
using StreamMl.Shared.Definitions;

namespace StreamMl.Cli.Commands;

/// <summary><c>streamml plan</c>: what a catalogue will cost, and what it changes against what runs.</summary>
internal static class PlanCommand
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase), new DurationConverter() },
    };

    public static Command Create()
    {
        var against = new Option<string?>("--against") { Description = "An earlier catalogue: what differs is listed to the detail" };
        var json = new Option<bool>("--json") { Description = "The plan as JSON" };
        var gap = new Option<string>("--event-gap") { Description = "Time between the events of a typical entity, for the estimated bytes", DefaultValueFactory = _ => "1h" };
        var command = new Command("plan", "What a catalogue will cost, and what it changes against what runs; exit code 1 if it would break that") { against, json, gap }.WithServers().WithCatalog();
        command.SetAction((arguments, stop) => RunAsync(
            arguments, arguments.GetValue(against), arguments.GetValue(json),
            Durations.TryParse(arguments.GetValue(gap)!, out var span) && span > TimeSpan.Zero ? span : throw new ArgumentException($"--event-gap '{arguments.GetValue(gap)}' is no duration; write a whole number and s, m, h or d, as 10m"), stop));
        return command;
    }

    private static async Task<int> RunAsync(ParseResult arguments, string? against, bool json, TimeSpan eventGap, CancellationToken stop)
    {
        var catalog = Catalogs.Load(arguments.CatalogPath());
        var previous = against is null ? null : Catalogs.Load(against);
        var options = arguments.Installation(findRunning: true);
        var running = await RunningStateReader.ReadAsync(catalog, options, stop);
        var plan = CatalogPlanner.Plan(catalog, previous, AvroCompatibility.Check, new PlanOptions { TypicalEventGap = eventGap }, running);
        if (json)
        {
            Console.WriteLine(JsonSerializer.Serialize(plan, Json));
        }
        else
        {
            Console.Write(PlanText.Write(plan));
            Console.WriteLine();
            Console.WriteLine(Compared(plan, options, against));
        }

        return plan.Diagnostics.Any(d => d.Severity == Severity.Error) ? CommandRunner.Failed : 0;
    }

    private static string Compared(CatalogPlan plan, InstallationOptions options, string? against)
    {
        string[] with = [.. new[] { options.Redis is null ? null : "the store", options.Registry is null ? null : "the registry", options.Kafka is null ? null : "Kafka's topics", against }.OfType<string>()];
        if (with.Length == 0)
            return "Compared with nothing: nothing runs here. Name --redis, --registry, --kafka, or an earlier catalogue with --against FILE";
        return $"Compared with {string.Join(", ", with)}: {(plan.Changes.Count == 0 && plan.Diagnostics.Count == 0 ? "nothing changes" : $"{plan.Changes.Count} changes, {plan.Diagnostics.Count} errors")}";
    }

    /// <summary>As in a catalogue: 15m, 7d.</summary>
    private sealed class DurationConverter : JsonConverter<TimeSpan>
    {
        public override TimeSpan Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            Durations.TryParse(reader.GetString()!, out var span) ? span : throw new JsonException("no duration");

        public override void Write(Utf8JsonWriter writer, TimeSpan value, JsonSerializerOptions options) => writer.WriteStringValue(Durations.Format(value));
    }
}
