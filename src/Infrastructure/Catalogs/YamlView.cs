using StreamMl.Shared.Definitions;
using StreamMl.Shared.Definitions.Building;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;
using YamlDotNet.RepresentationModel;

namespace StreamMl.Infrastructure.Catalogs;

/// <summary>One key of a mapping and its value.</summary>
public readonly record struct YamlEntry(Located Key, YamlNode Value);

/// <summary>
/// YAML nodes as a catalogue or another configuration file needs them: texts with their places, lists that may be single values, and texts with commas in parentheses
/// that a flow list or mapping has split, put together again. Reports what does not fit. Not thread-safe.
/// </summary>
public sealed class YamlView(string file, List<Diagnostic> diagnostics)
{
    // A joined text has no place of its own: it stands where its first part stood.
    private readonly Dictionary<YamlNode, SourceLocation> places = new(ReferenceEqualityComparer.Instance);

    public SourceLocation At(YamlNode node)
    {
        if (places.TryGetValue(node, out var place))
            return place;
        var quote = node is YamlScalarNode { Style: ScalarStyle.SingleQuoted or ScalarStyle.DoubleQuoted } ? 1 : 0;
        return new SourceLocation(file, (int)node.Start.Line, (int)node.Start.Column + quote);
    }

    public void Error(SourceLocation at, string problem, string remedy) => diagnostics.Add(new Diagnostic(Severity.Error, at, problem, remedy));

    /// <summary>A text, or null (reported) where the node is something else.</summary>
    public Located? Text(YamlNode node, string what)
    {
        if (node is YamlScalarNode { Value: { Length: > 0 } text })
            return new Located(text.Trim(), At(node));
        Error(At(node), $"{what} is {Kind(node)} where one text is expected", $"Write `{what}: value`");
        return null;
    }

    /// <summary>A list of texts; a single text will do.</summary>
    public IReadOnlyList<Located> Texts(YamlNode node, string what) => node is YamlSequenceNode list
        ? [.. Joined(list).Select(n => n is YamlScalarNode ? Text(n, what) : Refuse(n, what)).OfType<Located>()]
        : Text(node, what) is { } single ? [single] : [];

    /// <summary>The items of a list, where a text that was split inside parentheses, or after `over`, is whole again.</summary>
    public IReadOnlyList<YamlNode> Joined(YamlSequenceNode list)
    {
        if (list.Style != SequenceStyle.Flow)
            return [.. list.Children];
        var joined = new List<YamlNode>();
        foreach (var node in list.Children)
        {
            if (joined.Count > 0 && joined[^1] is YamlScalarNode last && node is YamlScalarNode next && Continues(last.Value ?? "", next.Value ?? ""))
                joined[^1] = Join(last, next.Value ?? "");
            else
                joined.Add(node);
        }

        return joined;
    }

    /// <summary>The entries of a mapping; those that are not in <paramref name="known"/> are reported and left out.</summary>
    public IReadOnlyList<YamlEntry> Entries(YamlNode node, string what, string[]? known = null)
    {
        if (node is not YamlMappingNode mapping)
        {
            Error(At(node), $"{what} is {Kind(node)} where keys and values are expected", "Indent `key: value` lines below it");
            return [];
        }

        var entries = new List<YamlEntry>();
        foreach (var (key, value) in mapping.Children)
            Add(entries, key, value, mapping.Style == MappingStyle.Flow);
        if (known is null)
            return entries;
        foreach (var entry in entries.Where(e => !known.Contains(e.Key.Text)))
            Error(entry.Key.At!, $"{what} has an unknown key `{entry.Key.Text}`", Suggestion.Remedy(entry.Key.Text, known, "keys"));
        return [.. entries.Where(e => known.Contains(e.Key.Text))];
    }

    private void Add(List<YamlEntry> entries, YamlNode key, YamlNode value, bool isFlow)
    {
        if (key is not YamlScalarNode { Value: { } text })
        {
            Error(At(key), $"a key is {Kind(key)}", "Keys are texts");
            return;
        }

        if (isFlow && entries.Count > 0 && entries[^1] is var last)
        {
            if (IsEmpty(last.Value) && IsOpen(last.Key.Text))
            {
                entries[^1] = new YamlEntry(new Located($"{last.Key.Text}, {text}", last.Key.At), value);
                return;
            }

            if (IsEmpty(value) && last.Value is YamlScalarNode scalar && IsOpen(scalar.Value ?? ""))
            {
                entries[^1] = last with { Value = Join(scalar, text) };
                return;
            }
        }

        entries.Add(new YamlEntry(new Located(text, At(key)), value));
    }

    private Located? Refuse(YamlNode node, string what)
    {
        Error(At(node), $"{what} holds {Kind(node)} where texts are expected", "Write a list of texts");
        return null;
    }

    private YamlScalarNode Join(YamlScalarNode first, string rest)
    {
        var joined = new YamlScalarNode($"{first.Value}, {rest}");
        places[joined] = At(first);
        return joined;
    }

    private static bool Continues(string text, string next) =>
        IsOpen(text) || (text.Contains(" over ", StringComparison.Ordinal) && !text.Contains(" as ", StringComparison.Ordinal) && IsWindow(next.Split(" as ")[0].Trim()));

    private static bool IsWindow(string text) => text == "lifetime" || Durations.TryParse(text, out _);

    private static bool IsOpen(string text) => text.Count(c => c == '(') > text.Count(c => c == ')');

    private static bool IsEmpty(YamlNode node) => node is YamlScalarNode { Value: null or "", Style: ScalarStyle.Plain };

    private static string Kind(YamlNode node) => node switch
    {
        YamlSequenceNode => "a list",
        YamlMappingNode => "a mapping",
        YamlScalarNode { Value: null or "" } => "empty",
        YamlScalarNode scalar => $"the text `{scalar.Value}`",
        _ => "something else",
    };
}
