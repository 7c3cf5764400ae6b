using StreamMl.Infrastructure.Avro;
using StreamMl.Shared.Definitions;
using StreamMl.Shared.Definitions.Building;
using StreamMl.Shared.Events;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace StreamMl.Infrastructure.Catalogs;

/// <summary>Reads a catalogue file and those that it includes into one builder. One use.</summary>
internal sealed class CatalogLoader(Func<string, EventSchema> readSchema, Func<string, string> readFile, Func<string, bool> exists)
{
    private const int MaxCharacters = 1 << 20;
    private const int MaxFiles = 256;

    private readonly CatalogBuilder builder = new();
    private readonly List<Diagnostic> diagnostics = [];
    private readonly HashSet<string> loaded = new(StringComparer.Ordinal);

    public CatalogResult Load(string path)
    {
        ReadFile(path, new SourceLocation(path, 1, 1));
        var built = builder.Build();
        return built with { Diagnostics = [.. diagnostics, .. built.Diagnostics] };
    }

    private void ReadFile(string path, SourceLocation namedAt)
    {
        // A file that is included twice, or includes itself, is read once.
        if (!loaded.Add(Path.GetFullPath(path)))
            return;
        if (loaded.Count > MaxFiles)
        {
            Error(namedAt, $"the catalogue includes more than {MaxFiles} files", "Join some of them");
            return;
        }

        if (!TryReadText(path, namedAt, "catalogue", out var text))
            return;
        var yaml = new YamlStream();
        try
        {
            using var reader = new StringReader(text);
            yaml.Load(reader);
        }
        catch (YamlException e)
        {
            var at = new SourceLocation(path, (int)e.Start.Line, (int)e.Start.Column);
            Error(at, $"the file is no YAML: {e.InnerException?.Message ?? e.Message}", "Check indentation and quotes; a text with `: `, ` #` or commas in braces needs quotes");
            return;
        }

        if (yaml.Documents.Count != 1)
            Error(new SourceLocation(path, 1, 1), $"the file has {yaml.Documents.Count} YAML documents", "Write one, with sources, entities, views or services");
        else
            ReadCatalog(path, yaml.Documents[0].RootNode);
    }

    private bool TryReadText(string path, SourceLocation namedAt, string what, out string text)
    {
        text = "";
        if (!exists(path))
        {
            Error(namedAt, $"there is no {what} file {path}", "Correct the path; it is relative to the file that names it");
            return false;
        }

        try
        {
            text = readFile(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Error(namedAt, $"{path} cannot be read: {e.Message}", "Check the file and its permissions");
            return false;
        }

        if (text.Length <= MaxCharacters)
            return true;
        Error(namedAt, $"{path} has {text.Length} characters, and at most {MaxCharacters} are read", "Split it into files, and `include` them");
        return false;
    }

    private void ReadCatalog(string path, YamlNode root)
    {
        var view = new YamlView(path, diagnostics);
        foreach (var (key, value) in view.Entries(root, "the catalogue", YamlKeys.Catalog))
        {
            switch (key.Text)
            {
                case "catalog" when view.Text(value, "catalog") is { } name:
                    builder.Name = name.Text;
                    break;
                case "include":
                    foreach (var include in view.Texts(value, "include"))
                        ReadFile(Beside(path, include.Text), include.At!);
                    break;
                case "sources":
                    foreach (var entry in view.Entries(value, "sources"))
                        builder.Source(entry.Key.Text, s => ReadSource(s, path, view, entry), entry.Key.At!);
                    break;
                case "entities":
                    foreach (var entry in view.Entries(value, "entities"))
                        builder.Entity(entry.Key.Text, [.. view.Texts(entry.Value, $"entity {entry.Key.Text}").Select(k => k.Text)], entry.Key.At);
                    break;
                case "views":
                    foreach (var entry in view.Entries(value, "views"))
                        builder.View(entry.Key.Text, v => new ViewReader(view, v).Read(entry), entry.Key.At!);
                    break;
                case "services":
                    foreach (var entry in view.Entries(value, "services"))
                        builder.Service(entry.Key.Text, s => ReadService(s, view, entry), entry.Key.At!);
                    break;
            }
        }
    }

    private void ReadSource(SourceBuilder source, string path, YamlView view, YamlEntry definition)
    {
        foreach (var (key, value) in view.Entries(definition.Value, $"source `{definition.Key.Text}`", YamlKeys.Source))
        {
            switch (key.Text)
            {
                case "key":
                    source.Key([.. view.Texts(value, "key")]);
                    break;
                case "doc":
                    break;
                default:
                    if (view.Text(value, key.Text) is { } text)
                        ReadSourceText(source, path, view, key.Text, text);
                    else if (key.Text == "schema")
                        source.UnreadableSchema(key.At!);
                    break;
            }
        }
    }

    private void ReadSourceText(SourceBuilder source, string path, YamlView view, string key, Located text)
    {
        switch (key)
        {
            case "topic":
                source.Topic(text);
                break;
            case "schema":
                ReadSchema(source, Beside(path, text.Text), text.At!);
                break;
            case "eventTime":
                source.EventTime(text);
                break;
            case "maxFutureSkew":
                source.MaxFutureSkew(text);
                break;
            case "partitions" when int.TryParse(text.Text, out var count):
                source.Partitions(count, text.At);
                break;
            case "partitions":
                view.Error(text.At!, $"partitions is `{text.Text}`, which is no whole number", "Write a number from 1 to 1024");
                break;
        }
    }

    private void ReadSchema(SourceBuilder source, string path, SourceLocation at)
    {
        source.UnreadableSchema(at);
        if (!TryReadText(path, at, "schema", out var avro))
            return;
        try
        {
            source.Schema(avro, readSchema(avro), at);
        }
        catch (AvroSchemaException e)
        {
            Error(at, $"{path} is no usable Avro schema: {e.Message}", "It must be a record, as JSON");
        }
    }

    private static void ReadService(ServiceBuilder service, YamlView view, YamlEntry definition)
    {
        foreach (var (key, value) in view.Entries(definition.Value, $"service `{definition.Key.Text}`", YamlKeys.Service))
        {
            switch (key.Text)
            {
                case "features":
                    service.Features([.. view.Texts(value, "features")]);
                    break;
                case "trigger" when view.Text(value, "trigger") is { } trigger:
                    service.Trigger(trigger);
                    break;
                case "servingDelay" when view.Text(value, "servingDelay") is { } delay:
                    service.ServingDelay(delay);
                    break;
            }
        }
    }

    private static string Beside(string file, string path) => Path.Combine(Path.GetDirectoryName(file) ?? "", path);

    private void Error(SourceLocation at, string problem, string remedy) => diagnostics.Add(new Diagnostic(Severity.Error, at, problem, remedy));
}
