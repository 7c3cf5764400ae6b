using System.Globalization;
using StreamMl.Shared.Definitions;
using StreamMl.Shared.Models;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace StreamMl.OnlineScorer.Scoring;

/// <summary>
/// Scoring policies as a YAML file beside the catalogue (docs/scoring.md): by service a topic, a threshold, what happens to missing and stale features. Reads; checks
/// against a service are made when a model is loaded.
/// </summary>
public static class ScoringFile
{
    /// <summary>Its name beside a catalogue.</summary>
    public const string FileName = "scoring.yaml";

    /// <exception cref="ModelException">Something in it is wrong; the message says where.</exception>
    public static ScoringPolicies Load(string path) => Parse(path, File.ReadAllText(path));

    /// <param name="path">For messages.</param>
    /// <param name="text">What the file holds.</param>
    /// <exception cref="ModelException">Something in it is wrong; the message says where.</exception>
    public static ScoringPolicies Parse(string path, string text)
    {
        var reader = new Reader(path);
        var services = new Dictionary<string, ServicePolicy>(StringComparer.Ordinal);
        foreach (var (key, value) in reader.Entries(reader.Root(text), "the file", "services"))
        {
            foreach (var (name, service) in reader.Entries(value, key))
                services.Add(name, reader.Service(name, service));
        }

        return new ScoringPolicies(services);
    }

    private sealed class Reader(string path)
    {
        public YamlNode Root(string text)
        {
            var yaml = new YamlStream();
            try
            {
                using var reader = new StringReader(text);
                yaml.Load(reader);
            }
            catch (YamlException e)
            {
                throw new ModelException($"{path}:{e.Start.Line}:{e.Start.Column}: the file is no YAML: {e.InnerException?.Message ?? e.Message}");
            }

            return yaml.Documents.Count == 1 ? yaml.Documents[0].RootNode : throw new ModelException($"{path} has {yaml.Documents.Count} YAML documents; write one, with `services:`");
        }

        public ServicePolicy Service(string name, YamlNode node)
        {
            var policy = new ServicePolicy();
            foreach (var (key, value) in Entries(node, $"service '{name}'", "topic", "threshold", "missing", "defaults", "views"))
            {
                policy = key switch
                {
                    "topic" => policy with { Topic = Text(value, key) },
                    "threshold" => policy with { Threshold = Number(value, key) },
                    "missing" => policy with { Missing = Action(value, key) },
                    "defaults" => policy with { Defaults = Entries(value, key).ToDictionary(e => e.Key, e => Text(e.Value, e.Key), StringComparer.Ordinal) },
                    _ => policy with { Views = Entries(value, key).ToDictionary(e => e.Key, e => View(e.Key, e.Value), StringComparer.Ordinal) },
                };
            }

            return policy;
        }

        public IReadOnlyList<KeyValuePair<string, YamlNode>> Entries(YamlNode node, string what, params string[] known)
        {
            if (node is not YamlMappingNode mapping)
                throw Wrong(node, $"{what} has no keys and values", "indent `key: value` lines below it");
            var entries = mapping.Children.Select(c => KeyValuePair.Create(Text(c.Key, $"a key of {what}"), c.Value)).ToList();
            return known.Length > 0 && entries.Find(e => !known.Contains(e.Key)) is { Key: not null } unknown
                ? throw Wrong(unknown.Value, $"{what} has an unknown key '{unknown.Key}'", $"use {string.Join(", ", known)}")
                : entries;
        }

        private ViewPolicy View(string name, YamlNode node)
        {
            var view = new ViewPolicy(null, PolicyAction.Flag);
            foreach (var (key, value) in Entries(node, $"view '{name}'", "maxAge", "stale"))
            {
                view = key == "stale"
                    ? view with { Action = Action(value, key) }
                    : view with { MaxAge = Durations.TryParse(Text(value, key), out var age) ? age : throw Wrong(value, $"maxAge '{value}' is no duration", "write a whole number and s, m, h or d, as 3h") };
            }

            return view;
        }

        private PolicyAction Action(YamlNode node, string key) => Enum.TryParse<PolicyAction>(Text(node, key), ignoreCase: true, out var action) && Enum.IsDefined(action)
            ? action
            : throw Wrong(node, $"'{key}' is '{node}'", "write score, flag, default or refuse");

        private double Number(YamlNode node, string key) => double.TryParse(Text(node, key), NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && double.IsFinite(number)
            ? number
            : throw Wrong(node, $"'{key}' is '{node}'", "write a number, as 0.3");

        private string Text(YamlNode node, string key) => node is YamlScalarNode { Value: { Length: > 0 } text } ? text : throw Wrong(node, $"'{key}' is no text", $"write `{key}: value`");

        private ModelException Wrong(YamlNode node, string problem, string remedy) => new($"{path}:{node.Start.Line}:{node.Start.Column}: {problem}; {remedy}");
    }
}
