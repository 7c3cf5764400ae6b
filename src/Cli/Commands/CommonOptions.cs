using System.CommandLine;
using StreamMl.Infrastructure.Hosting;

namespace StreamMl.Cli.Commands;

/// <summary>Options that many commands share, each defined once.</summary>
internal static class CommonOptions
{
    public static readonly Option<string> Directory = new("--dir") { Description = "Where everything is written and found (env STREAMML_DIR)", DefaultValueFactory = _ => Environment.GetEnvironmentVariable("STREAMML_DIR") ?? ".streamml" };

    public static readonly Option<string?> Kafka = new("--kafka") { Description = "Kafka bootstrap servers (env STREAMML_KAFKA); default: embedded" };

    public static readonly Option<string?> Redis = new("--redis") { Description = "Redis as host:port (env STREAMML_REDIS); default: embedded" };

    public static readonly Option<string?> Registry = new("--registry") { Description = "Schema registry URL (env STREAMML_REGISTRY); default: embedded" };

    public static readonly Option<string?> Ops = new("--ops") { Description = "URL at which this process answers /metrics (Prometheus), /healthz and /readyz, as http://127.0.0.1:9464 (env STREAMML_OPS); default: not" };

    public static readonly Option<string?> Catalog = new("--catalog", "-c") { Description = "The catalogue (env STREAMML_CATALOG); default: the one of the process that runs in --dir or of the demo that ran there, else catalog.yaml here" };

    /// <summary>Adds the options that say where the servers are.</summary>
    public static Command WithServers(this Command command)
    {
        command.Options.Add(Directory);
        command.Options.Add(Kafka);
        command.Options.Add(Redis);
        command.Options.Add(Registry);
        return command;
    }

    public static Command WithCatalog(this Command command)
    {
        command.Options.Add(Catalog);
        return command;
    }

    public static Command WithOps(this Command command)
    {
        command.Options.Add(Ops);
        return command;
    }

    /// <param name="findRunning">Use the servers of the process that runs in the directory, if one does.</param>
    public static InstallationOptions Installation(this ParseResult arguments, bool findRunning) => new InstallationOptions
    {
        Directory = arguments.GetValue(Directory)!,
        Kafka = arguments.GetValue(Kafka),
        Redis = arguments.GetValue(Redis),
        Registry = arguments.GetValue(Registry),
    }.WithDefaults(Environment.GetEnvironmentVariable, findRunning);

    /// <summary>The catalogue's path: as given, else of the process that runs in the directory or of the demo that ran there, else catalog.yaml here.</summary>
    public static string CatalogPath(this ParseResult arguments) =>
        arguments.GetValue(Catalog)
        ?? Environment.GetEnvironmentVariable("STREAMML_CATALOG")
        ?? RunningIn(arguments)?.Catalog
        ?? SavedIn(arguments)
        ?? "catalog.yaml";

    /// <summary>The file under a directory in which the demo leaves the path of its catalogue, for the commands that look at what it made.</summary>
    public const string SavedCatalog = "catalog.path";

    public static EndpointsFile? RunningIn(ParseResult arguments) => EndpointsFile.Read(arguments.GetValue(Directory) ?? ".streamml");

    private static string? SavedIn(ParseResult arguments) =>
        Path.Combine(arguments.GetValue(Directory) ?? ".streamml", SavedCatalog) is var path && File.Exists(path) ? File.ReadAllText(path) : null;
}
