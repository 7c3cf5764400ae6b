using StreamMl.Shared.Definitions;
using YamlDotNet.RepresentationModel;

namespace StreamMl.Ingestors.Mapping;

/// <summary>A YAML mapping whose keys are taken one by one; what is left over at the end is unknown. Findings are collected. Not thread-safe.</summary>
internal sealed class YamlBlock
{
    private readonly string file;
    private readonly List<Diagnostic> diagnostics;
    private readonly Dictionary<string, (YamlNode Key, YamlNode Value)> entries = new(StringComparer.Ordinal);
    private readonly List<string> known = [];

    public YamlBlock(string file, YamlNode node, List<Diagnostic> diagnostics)
    {
        this.file = file;
        this.diagnostics = diagnostics;
        Location = At(node);
        if (node is not YamlMappingNode mapping)
        {
            Error(node, "a block of keys and values is expected here", "Write `key: value` lines, indented");
            return;
        }

        foreach (var (key, value) in mapping.Children)
            entries[(key as YamlScalarNode)?.Value ?? key.ToString()] = (key, value);
    }

    public SourceLocation Location { get; }

    public IEnumerable<(string Key, YamlNode Value)> Entries => entries.Select(e => (e.Key, e.Value.Value));

    public SourceLocation At(YamlNode node) => new(file, (int)node.Start.Line, (int)node.Start.Column);

    public YamlNode? Take(string key)
    {
        known.Add(key);
        return entries.Remove(key, out var entry) ? entry.Value : null;
    }

    public (string Text, SourceLocation Location)? TakeText(string key)
    {
        if (Take(key) is not { } node)
            return null;
        if (node is YamlScalarNode { Value: { Length: > 0 } text })
            return (text, At(node));
        Error(node, $"`{key}` is to be one text", $"Write `{key}: ...` on one line");
        return null;
    }

    public void Error(YamlNode node, string problem, string remedy) => Error(At(node), problem, remedy);

    public void Error(SourceLocation location, string problem, string remedy) =>
        diagnostics.Add(new Diagnostic(Severity.Error, location, problem, remedy));

    /// <summary>Everything that was not taken is an error.</summary>
    public void Finish(string where)
    {
        foreach (var (key, (node, _)) in entries)
            Error(node, $"there is no key `{key}` in {where}", $"Known are {string.Join(", ", known)}");
    }
}
