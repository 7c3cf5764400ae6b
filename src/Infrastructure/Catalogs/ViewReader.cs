using StreamMl.Shared.Definitions.Building;
using YamlDotNet.RepresentationModel;

namespace StreamMl.Infrastructure.Catalogs;

/// <summary>Reads one view of a catalogue file into its builder. One use.</summary>
internal sealed class ViewReader(YamlView yaml, ViewBuilder view)
{
    public void Read(YamlEntry definition)
    {
        var entries = yaml.Entries(definition.Value, $"view `{definition.Key.Text}`", YamlKeys.View);
        foreach (var (key, value) in entries)
            ReadPart(key, value);
        if (entries.Any(e => e.Key.Text == "entity") && entries.FirstOrDefault(e => e.Key.Text == "entities") is { Key.At: { } at })
            yaml.Error(at, $"view `{definition.Key.Text}` has both `entity` and `entities`", "Keep one of them");
    }

    private void ReadPart(Located key, YamlNode value)
    {
        switch (key.Text)
        {
            case "entities":
                view.Entities([.. yaml.Texts(value, "entities")]);
                break;
            case "key":
                view.Key([.. yaml.Texts(value, "key")]);
                break;
            case "windows":
                view.Windows([.. yaml.Texts(value, "windows")]);
                break;
            case "derive":
                foreach (var (name, expression) in yaml.Entries(value, "derive"))
                {
                    if (yaml.Text(expression, name.Text) is { } text)
                        view.Derive(name.Text, text);
                }

                break;
            case "features":
                ReadFeatures(value);
                break;
            case "doc":
                break;
            default:
                if (yaml.Text(value, key.Text) is { } single)
                    ReadText(key.Text, single);
                break;
        }
    }

    private void ReadText(string key, Located text) => _ = key switch
    {
        "source" => view.From(text),
        "entity" => view.Entity(text),
        "where" => view.Where(text),
        "hop" => view.Hop(text),
        "allowedLateness" => view.AllowedLateness(text),
        _ => view.IdleLimit(text),
    };

    private void ReadFeatures(YamlNode value)
    {
        if (value is not YamlSequenceNode list)
        {
            view.Features([.. value is YamlScalarNode ? yaml.Texts(value, "features") : ReadMapping(value)]);
            return;
        }

        foreach (var item in yaml.Joined(list))
            view.Features([.. item is YamlMappingNode ? ReadMapping(item) : yaml.Texts(item, "features")]);
    }

    // `mean(arr_delay): [1h, 24h]` gives windows, `worst_delay: max(arr_delay) over 1h` a name.
    private IEnumerable<Located> ReadMapping(YamlNode node)
    {
        foreach (var (key, value) in yaml.Entries(node, "features"))
        {
            if (key.Text.Contains('(', StringComparison.Ordinal) || Shared.Definitions.AggregationTypes.IsKnown(key.Text))
            {
                var windows = yaml.Texts(value, key.Text);
                if (windows.Count > 0)
                    yield return key with { Text = $"{key.Text} over {string.Join(", ", windows.Select(w => w.Text))}" };
            }
            else if (yaml.Text(value, key.Text) is { } text)
            {
                yield return text with { Text = $"{text.Text} as {key.Text}" };
            }
        }
    }
}
