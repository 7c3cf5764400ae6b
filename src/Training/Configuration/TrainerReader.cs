using StreamMl.Infrastructure.Catalogs;
using StreamMl.ModelEngine;
using StreamMl.Shared.Definitions;
using StreamMl.Training.Trainers;
using YamlDotNet.RepresentationModel;

namespace StreamMl.Training.Configuration;

/// <summary>Trainers, searches over their parameters, and ensembles of them, out of train.yaml.</summary>
internal sealed class TrainerReader(YamlView yaml)
{
    private readonly ConfigValues values = new(yaml);

    public static TrainerDefinition Default { get; } = new(TrainerCatalog.Kinds[0], new Dictionary<string, double>(StringComparer.Ordinal));

    public TrainerDefinition Read(YamlNode node, ModelTask task)
    {
        (string Key, YamlNode Value)[] entries = [.. values.KindOrEntries(node, "trainer", null)];
        string[] names = [.. TrainerCatalog.Kinds.Select(k => k.Name)];
        var kind = TrainerCatalog.Kinds[entries.Where(e => e.Key == "kind").Select(e => values.Choice(e.Value, "trainer.kind", names)).FirstOrDefault()];
        if (!kind.Tasks.Contains(task))
            yaml.Error(yaml.At(node), $"trainer {kind.Name} does not learn task {task.ToString().ToLowerInvariant()}", $"Take one of {string.Join(", ", TrainerCatalog.Kinds.Where(k => k.Tasks.Contains(task)).Select(k => k.Name))}");
        var parameters = new SortedDictionary<string, double>(StringComparer.Ordinal);
        foreach (var (key, value) in entries.Where(e => e.Key != "kind"))
        {
            if (kind.Find(key) is { } parameter)
                parameters[key] = values.Number(value, $"trainer.{key}", parameter.Default, parameter.Min, parameter.Max, parameter.IsWhole);
            else
                yaml.Error(yaml.At(value), $"trainer {kind.Name} has no parameter `{key}`", Suggestion.Remedy(key, kind.Parameters.Select(p => p.Name), "parameters"));
        }

        return new TrainerDefinition(kind, parameters);
    }

    public SearchOptions ReadSearch(YamlNode node)
    {
        var search = new SearchOptions(SearchMethod.Random, 20, null, []);
        foreach (var (key, value) in yaml.Entries(node, "search", TrainKeys.Search))
        {
            search = key.Text switch
            {
                "method" => search with { Method = (SearchMethod)values.Choice(value, "search.method", ["random", "halving", "tpe"]) },
                "trials" => search with { Trials = (int)values.Number(value, "search.trials", 20, 1, 10_000, isWhole: true) },
                "budget" => search with { Budget = values.Duration(value, "search.budget") },
                _ => search with { Space = [.. yaml.Entries(value, "search.space").Select(ReadDimension)] },
            };
        }

        if (search.Space.Count == 0)
            yaml.Error(yaml.At(node), "search has no space", "Write space: { leaves: [15, 31, 63], learningRate: { low: 0.01, high: 0.3, log: true } }");
        return search;
    }

    public EnsembleOptions ReadEnsemble(YamlNode node, ModelTask task)
    {
        var ensemble = new EnsembleOptions(EnsembleKind.Bagging, 5, 1, [], []);
        foreach (var (key, value) in values.KindOrEntries(node, "ensemble", TrainKeys.Ensemble))
        {
            ensemble = key switch
            {
                "kind" => ensemble with { Kind = (EnsembleKind)values.Choice(value, "ensemble.kind", ["bagging", "blend", "stack"]) },
                "members" => ensemble with { Members = (int)values.Number(value, "ensemble.members", 5, 2, 100, isWhole: true) },
                "share" => ensemble with { Share = values.Number(value, "ensemble.share", 1, 1e-6, 1) },
                "weights" => ensemble with { Weights = [.. Items(value).Select(w => values.Number(w, "ensemble.weights", 1, 0, 1e9))] },
                _ => ensemble with { Trainers = [.. Items(value).Select(t => Read(t, task))] },
            };
        }

        if (ensemble.Kind != EnsembleKind.Bagging && ensemble.Trainers.Count < 2)
            yaml.Error(yaml.At(node), $"a {ensemble.Kind.ToString().ToLowerInvariant()} has {ensemble.Trainers.Count} trainers", "Write trainers: and two or more, as [{ kind: lightgbm }, { kind: fasttree }]");
        if (ensemble.Weights.Count > 0 && ensemble.Weights.Count != ensemble.Trainers.Count)
            yaml.Error(yaml.At(node), $"a blend of {ensemble.Trainers.Count} trainers has {ensemble.Weights.Count} weights", "Write one for each, or none: they are then fitted on the validation part");
        return ensemble;
    }

    private SearchDimension ReadDimension(YamlEntry entry)
    {
        var (name, node) = (entry.Key.Text, entry.Value);
        var parameter = TrainerCatalog.Kinds.Select(k => k.Find(name)).FirstOrDefault(p => p is not null);
        var (min, max) = (parameter?.Min ?? double.MinValue, parameter?.Max ?? double.MaxValue);
        var dimension = new SearchDimension(name, [], min, max, false, parameter?.IsWhole ?? false);
        if (node is not YamlMappingNode)
            return dimension with { Choices = [.. Items(node).Select(n => values.Number(n, $"search.space.{name}", min, min, max, dimension.IsWhole))] };
        foreach (var (key, value) in yaml.Entries(node, $"search.space.{name}", TrainKeys.Dimension))
        {
            dimension = key.Text switch
            {
                "low" => dimension with { Low = values.Number(value, $"search.space.{name}.low", min, min, max, dimension.IsWhole) },
                "high" => dimension with { High = values.Number(value, $"search.space.{name}.high", max, min, max, dimension.IsWhole) },
                _ => dimension with { IsLog = values.Flag(value, $"search.space.{name}.log") },
            };
        }

        if (!(dimension.Low < dimension.High) || (dimension.IsLog && dimension.Low <= 0))
            yaml.Error(yaml.At(node), $"search.space.{name} goes from {dimension.Low:G6} to {dimension.High:G6}{(dimension.IsLog ? " on a logarithmic scale" : "")}", "Low lies below high, and above 0 on a logarithmic scale");
        return dimension;
    }

    private static IEnumerable<YamlNode> Items(YamlNode node) => node is YamlSequenceNode list ? list.Children : [node];
}
