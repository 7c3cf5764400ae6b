using System.Globalization;
using StreamMl.Infrastructure.Catalogs;
using StreamMl.Shared.Definitions;
using YamlDotNet.RepresentationModel;

namespace StreamMl.Training.Configuration;

/// <summary>Single values of train.yaml: what does not fit is reported with its place, and the default is taken.</summary>
internal sealed class ConfigValues(YamlView yaml)
{
    public static bool IsNumber(YamlNode node) => node is YamlScalarNode { Value: { } text } && TryNumber(text, out _);

    public double Number(YamlNode node, string what, double otherwise, double min, double max, bool isWhole = false)
    {
        if (yaml.Text(node, what) is not { } text)
            return otherwise;
        if (TryNumber(text.Text, out var number) && number >= min && number <= max && (!isWhole || number == Math.Floor(number)))
            return number;
        yaml.Error(text.At!, $"{what} is `{text.Text}`", $"Write a {(isWhole ? "whole " : "")}number from {min:G6} to {max:G6}");
        return otherwise;
    }

    public bool Flag(YamlNode node, string what) => Choice(node, what, ["false", "true"]) == 1;

    /// <summary>The place of the word in the list; 0 where it is none of them.</summary>
    public int Choice(YamlNode node, string what, string[] words)
    {
        if (yaml.Text(node, what) is not { } text)
            return 0;
        var index = Array.IndexOf(words, text.Text);
        if (index < 0)
            yaml.Error(text.At!, $"{what} is `{text.Text}`", Suggestion.For(text.Text, words) is { } near ? $"Did you mean `{near}`?" : $"Write one of {string.Join(", ", words)}");
        return Math.Max(0, index);
    }

    public DateTimeOffset? Date(YamlNode node, string what)
    {
        if (yaml.Text(node, what) is not { } text)
            return null;
        if (DateTimeOffset.TryParse(text.Text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var time))
            return time;
        yaml.Error(text.At!, $"{what} is `{text.Text}`", "Write a date or a time in UTC, as 2013-09-01 or 2013-09-01T12:00:00Z");
        return null;
    }

    public TimeSpan? Duration(YamlNode node, string what)
    {
        if (yaml.Text(node, what) is not { } text)
            return null;
        if (Durations.TryParse(text.Text, out var duration))
            return duration;
        yaml.Error(text.At!, $"{what} is `{text.Text}`", "Write a whole number and ms, s, m, h or d, as 6h");
        return null;
    }

    /// <summary>The entries of a mapping; a text alone is its kind.</summary>
    public IEnumerable<(string Key, YamlNode Value)> KindOrEntries(YamlNode node, string what, string[]? known) =>
        node is YamlScalarNode ? [("kind", node)] : yaml.Entries(node, what, known).Select(e => (e.Key.Text, e.Value));

    private static bool TryNumber(string text, out double number) =>
        double.TryParse(text.Replace("_", "", StringComparison.Ordinal), NumberStyles.Float, CultureInfo.InvariantCulture, out number) && double.IsFinite(number);
}
