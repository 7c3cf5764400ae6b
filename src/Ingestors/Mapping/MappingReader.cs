using StreamMl.Ingestors.Files;
using StreamMl.Shared.Definitions;
using StreamMl.Shared.Events;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace StreamMl.Ingestors.Mapping;

/// <summary>Reads a mapping file (docs/mapping.md). What depends on the catalogue is checked by <see cref="RowMapper"/>. Thread-safe.</summary>
internal static class MappingReader
{
    /// <exception cref="MappingException">With every finding, each with file, line and remedy.</exception>
    public static MappingFile Read(string path)
    {
        if (!File.Exists(path))
            throw MappingException.Of(new SourceLocation(path, 1, 1), "there is no such mapping file", "Check the path, or let `streamml new` write one");
        return Parse(Path.GetFullPath(path), File.ReadAllText(path));
    }

    public static MappingFile Parse(string path, string yaml)
    {
        var diagnostics = new List<Diagnostic>();
        var root = new YamlBlock(path, RootOf(path, yaml), diagnostics);
        var folder = Path.GetDirectoryName(path)!;
        var catalog = root.TakeText("catalog");
        var sources = new List<SourceMapping>();
        if (root.Take("sources") is { } node)
        {
            foreach (var (name, value) in new YamlBlock(path, node, diagnostics).Entries)
                sources.Add(ReadSource(name, new YamlBlock(path, value, diagnostics), folder, diagnostics, path));
        }
        else
        {
            root.Error(root.Location, "the mapping has no `sources`", "Write `sources:` and under it one block for each source that has a file");
        }

        root.Finish("a mapping file");
        return diagnostics.Count == 0
            ? new MappingFile(path, catalog is { } c ? Path.GetFullPath(Path.Combine(folder, c.Text)) : null, sources)
            : throw new MappingException(diagnostics);
    }

    private static YamlNode RootOf(string path, string yaml)
    {
        try
        {
            var stream = new YamlStream();
            stream.Load(new StringReader(yaml));
            return stream.Documents.Count > 0 ? stream.Documents[0].RootNode
                : throw MappingException.Of(new SourceLocation(path, 1, 1), "the mapping file is empty", "Write `sources:` and a block for each source");
        }
        catch (YamlException e)
        {
            throw MappingException.Of(new SourceLocation(path, (int)e.Start.Line, (int)e.Start.Column), $"this is not YAML: {e.Message}", "Check indentation and quotes of this line", e);
        }
    }

    private static SourceMapping ReadSource(string name, YamlBlock block, string folder, List<Diagnostic> diagnostics, string path)
    {
        var mapping = new SourceMapping
        {
            Source = name,
            Location = block.Location,
            Files = ReadFiles(block, folder),
            FileOptions = ReadFileOptions(block),
            Types = ReadTypes(block, diagnostics, path),
            Where = block.TakeText("where") is { } where ? new FromExpression(where.Text, where.Location) : null,
            EventTime = block.Take("eventTime") is { } eventTime ? TimeReader.Read(path, eventTime, diagnostics) : null,
            ArrivalTime = block.Take("arrivalTime") is { } arrival ? TimeReader.Read(path, arrival, diagnostics) : null,
            ArrivalDelay = ReadDelay(block),
            Sort = ReadFlag(block, "sort"),
            Fields = block.Take("fields") is { } fields ? ReadFields(path, fields, diagnostics) : new Dictionary<string, FieldMapping>(StringComparer.Ordinal),
        };
        if (mapping.ArrivalTime is not null && mapping.ArrivalDelay != TimeSpan.Zero)
            block.Error(mapping.ArrivalTime.Location, "both arrivalTime and arrivalDelay are given", "Keep arrivalTime where the file has it, else arrivalDelay");
        block.Finish("a source's mapping");
        return mapping;
    }

    private static List<string> ReadFiles(YamlBlock block, string folder)
    {
        if (block.TakeText("file") is not { } file)
        {
            block.Error(block.Location, "the source has no `file`", "Write `file: data/events.csv`, or a pattern such as data/*.parquet");
            return [];
        }

        var pattern = Path.GetFullPath(Path.Combine(folder, file.Text));
        if (!pattern.Contains('*', StringComparison.Ordinal))
            return [pattern];
        var directory = Path.GetDirectoryName(pattern)!;
        List<string> files = Directory.Exists(directory) ? [.. Directory.GetFiles(directory, Path.GetFileName(pattern)).Order(StringComparer.Ordinal)] : [];
        if (files.Count == 0)
            block.Error(file.Location, $"no file is like '{file.Text}'", $"Patterns have * in the file's name only; this one looks into {directory}");
        return files;
    }

    private static RowFileOptions ReadFileOptions(YamlBlock block)
    {
        char? delimiter = null;
        if (block.TakeText("delimiter") is { } text)
        {
            if (text.Text is { Length: 1 } or "\\t" or "tab")
                delimiter = text.Text.Length == 1 ? text.Text[0] : '\t';
            else
                block.Error(text.Location, $"the delimiter '{text.Text}' is not one character", "Write ',', ';', '|' or tab");
        }

        var nulls = block.Take("nulls") switch
        {
            null => null,
            YamlScalarNode one => new[] { one.Value ?? "" },
            YamlSequenceNode many => [.. many.Children.Select(c => (c as YamlScalarNode)?.Value ?? "")],
            var other => Refuse(block, other),
        };
        return new RowFileOptions(delimiter, nulls);
    }

    private static string[] Refuse(YamlBlock block, YamlNode node)
    {
        block.Error(node, "`nulls` is to be texts", "Write `nulls: [NA, null]`");
        return [];
    }

    private static Dictionary<string, FieldType> ReadTypes(YamlBlock block, List<Diagnostic> diagnostics, string path)
    {
        var types = new Dictionary<string, FieldType>(StringComparer.Ordinal);
        if (block.Take("types") is not { } node)
            return types;
        foreach (var (column, value) in new YamlBlock(path, node, diagnostics).Entries)
        {
            var type = (value as YamlScalarNode)?.Value;
            types[column] = type switch { "boolean" => FieldType.Boolean, "long" => FieldType.Int64, "double" => FieldType.Float64, _ => FieldType.String };
            if (type is not ("boolean" or "long" or "double" or "string"))
                block.Error(value, $"there is no type '{type}'", "Write boolean, long, double or string");
        }

        return types;
    }

    private static TimeSpan ReadDelay(YamlBlock block)
    {
        if (block.TakeText("arrivalDelay") is not { } text)
            return TimeSpan.Zero;
        if (Durations.TryParse(text.Text, out var delay))
            return delay;
        block.Error(text.Location, $"'{text.Text}' is no duration", "Write a whole number and ms, s, m, h or d: 10m");
        return TimeSpan.Zero;
    }

    private static bool ReadFlag(YamlBlock block, string key)
    {
        if (block.TakeText(key) is not { } text)
            return false;
        if (bool.TryParse(text.Text, out var flag))
            return flag;
        block.Error(text.Location, $"`{key}` is '{text.Text}'", "Write true or false");
        return false;
    }

    private static Dictionary<string, FieldMapping> ReadFields(string path, YamlNode node, List<Diagnostic> diagnostics)
    {
        var fields = new Dictionary<string, FieldMapping>(StringComparer.Ordinal);
        foreach (var (name, value) in new YamlBlock(path, node, diagnostics).Entries)
        {
            if (ReadField(path, value, diagnostics) is { } field)
                fields[name] = field;
        }

        return fields;
    }

    private static FieldMapping? ReadField(string path, YamlNode node, List<Diagnostic> diagnostics)
    {
        if (node is YamlScalarNode { Value: { Length: > 0 } column })
            return new FromColumn(column, new SourceLocation(path, (int)node.Start.Line, (int)node.Start.Column));
        if (node is YamlMappingNode mapping && mapping.Children.ContainsKey(new YamlScalarNode("time")))
            return TimeReader.Read(path, node, diagnostics);
        var block = new YamlBlock(path, node, diagnostics);
        if (block.Take("constant") is { } constant)
        {
            block.Finish("a constant field");
            return new FromConstant(constant is YamlScalarNode { Value: var text, Style: var style } && !(style == ScalarStyle.Plain && text is "" or "null" or "~") ? text : null, block.Location);
        }

        if (block.TakeText("expression") is { } expression)
        {
            block.Finish("an expression field");
            return new FromExpression(expression.Text, expression.Location);
        }

        block.Error(block.Location, "a field takes a column", "Write the column's name, or { constant: x }, { expression: a * b }, { time: column, format: ... }");
        return null;
    }
}
