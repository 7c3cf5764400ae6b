using System.CommandLine;
using System.Globalization;
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
    private const long MaxEntities = 1_000_000_000_000;

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
        var entities = new Option<string?>("--entities") { Description = "How many of each entity there will be, as aircraft=5000,origin=400, or one number for all that are not named: what the store needs, against what it has" };
        var command = new Command("plan", "What a catalogue will cost, and what it changes against what runs; exit code 1 if it would break that") { against, json, gap, entities }.WithServers().WithCatalog();
        command.SetAction((arguments, stop) => RunAsync(
            arguments, arguments.GetValue(against), arguments.GetValue(json), WithEntities(new PlanOptions { TypicalEventGap = Gap(arguments.GetValue(gap)!) }, arguments.GetValue(entities)), stop));
        return command;
    }

    private static TimeSpan Gap(string text) =>
        Durations.TryParse(text, out var span) && span > TimeSpan.Zero ? span : throw new ArgumentException($"--event-gap '{text}' is no duration; write a whole number and s, m, h or d, as 10m");

    private static PlanOptions WithEntities(PlanOptions options, string? text)
    {
        var counts = new Dictionary<string, long>(StringComparer.Ordinal);
        long? others = null;
        foreach (var part in text?.Split(',', StringSplitOptions.TrimEntries) ?? [])
        {
            var (name, number) = part.LastIndexOf('=') is var at and >= 0 ? (part[..at], part[(at + 1)..]) : (null, part);
            if (!long.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var count) || count > MaxEntities)
                throw new ArgumentException($"--entities: '{part}' is no count up to {MaxEntities:N0}; write NAME=NUMBER, or a NUMBER for all that are not named, with commas between them");
            if (name is null)
                others = count;
            else
                counts[name] = count;
        }

        return options with { Entities = counts, OtherEntities = others };
    }

    private static async Task<int> RunAsync(ParseResult arguments, string? against, bool json, PlanOptions assumptions, CancellationToken stop)
    {
        var catalog = Catalogs.Load(arguments.CatalogPath());
        var previous = against is null ? null : Catalogs.Load(against);
        var options = arguments.Installation(findRunning: true);
        var running = await RunningStateReader.ReadAsync(catalog, options, stop);
        var plan = CatalogPlanner.Plan(catalog, previous, AvroCompatibility.Check, assumptions, running);
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
        return $"Compared with {string.Join(", ", with)}: {(plan.Changes.Count == 0 && plan.Diagnostics.Count == 0 ? "nothing changes" : string.Join(", ", Counted(plan.Changes.Count, "change"), Counted(Count(plan, Severity.Error), "error"), Counted(Count(plan, Severity.Warning), "warning")))}";
    }

    private static int Count(CatalogPlan plan, Severity severity) => plan.Diagnostics.Count(d => d.Severity == severity);

    private static string Counted(int count, string what) => $"{count} {what}{(count == 1 ? "" : "s")}";

    /// <summary>As in a catalogue: 15m, 7d.</summary>
    private sealed class DurationConverter : JsonConverter<TimeSpan>
    {
        public override TimeSpan Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            Durations.TryParse(reader.GetString()!, out var span) ? span : throw new JsonException("no duration");

        public override void Write(Utf8JsonWriter writer, TimeSpan value, JsonSerializerOptions options) => writer.WriteStringValue(Durations.Format(value));
    }
}
