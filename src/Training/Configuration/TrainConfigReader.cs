using StreamMl.Infrastructure.Catalogs;
using StreamMl.ModelEngine;
using StreamMl.ModelEngine.Metrics;
using StreamMl.ModelEngine.Steps;
using StreamMl.Shared.Definitions;
using StreamMl.Shared.Definitions.Building;
using StreamMl.Training.Splits;
using YamlDotNet.RepresentationModel;

namespace StreamMl.Training.Configuration;

/// <summary>From the nodes of train.yaml to its options. One use.</summary>
internal sealed class TrainConfigReader(YamlView yaml, string text)
{
    private static readonly string[] Tasks = ["binary", "multiclass", "regression"];

    private readonly ConfigValues values = new(yaml);
    private readonly TrainerReader trainers = new(yaml);

    public TrainConfig Read(YamlNode root)
    {
        var entries = yaml.Entries(root, "the configuration", TrainKeys.Root);
        // The task first: it decides which trainers there are.
        var task = entries.Where(e => e.Key.Text == "task").Select(e => (ModelTask)values.Choice(e.Value, "task", Tasks)).FirstOrDefault();
        var config = new TrainConfig { Text = text, Task = task, Trainer = TrainerReader.Default };
        foreach (var (key, value) in entries)
            config = Part(config, key.Text, value);
        Check(config, entries);
        return config;
    }

    private TrainConfig Part(TrainConfig config, string key, YamlNode value) => key switch
    {
        "service" => config with { Service = yaml.Text(value, key)?.Text },
        "label" => config with { Label = yaml.Text(value, key)?.Text },
        "seed" => config with { Seed = (long)values.Number(value, key, 1, long.MinValue, long.MaxValue, isWhole: true) },
        "threads" => config with { Threads = (int)values.Number(value, key, 0, 0, 1_024, isWhole: true) },
        "split" => config with { Split = ReadSplit(value) },
        "features" => ReadFeatures(config, value),
        "steps" => config with { Pipeline = config.Pipeline with { Steps = ReadSteps(value) } },
        "sampling" => config with { Sampling = ReadSampling(value) },
        "imbalance" => config with { Imbalance = ReadImbalance(value) },
        "trainer" => config with { Trainer = trainers.Read(value, config.Task) },
        "calibrate" => config with { Calibrate = (CalibrationKind)values.Choice(value, key, ["none", "platt", "isotonic"]) },
        "evaluate" => config with { Evaluate = ReadEvaluate(value) },
        "baselines" => config with { Baselines = [.. yaml.Texts(value, key).Select(Baseline).OfType<BaselineDefinition>()] },
        "search" => config with { Search = trainers.ReadSearch(value) },
        "ensemble" => config with { Ensemble = trainers.ReadEnsemble(value, config.Task) },
        "card" => config with { Card = yaml.Entries(value, key, TrainKeys.Card).ToDictionary(e => e.Key.Text, e => yaml.Text(e.Value, $"card.{e.Key.Text}")?.Text ?? "", StringComparer.Ordinal) },
        "variants" => config with { Variants = [.. yaml.Entries(value, key).Select(ReadVariant)] },
        _ => config,
    };

    private void Check(TrainConfig config, IReadOnlyList<YamlEntry> entries)
    {
        SourceLocation At(string key) => entries.First(e => e.Key.Text == key).Key.At!;
        if (config.Task != ModelTask.Binary && config.Calibrate != CalibrationKind.None)
            yaml.Error(At("calibrate"), $"calibrate is {config.Calibrate.ToString().ToLowerInvariant()} and the task is {config.Task.ToString().ToLowerInvariant()}", "Only the scores of task binary are calibrated: take it away");
        if (config.Task == ModelTask.Regression && config.Imbalance.Kind != ImbalanceKind.None)
            yaml.Error(At("imbalance"), "the task is regression, which has no classes", "Take imbalance away");
        if (config.Task == ModelTask.Multiclass && config.Imbalance.Kind is ImbalanceKind.OverSample or ImbalanceKind.UnderSample)
            yaml.Error(At("imbalance"), "over- and under-sampling are for task binary", "Write imbalance: classWeights");
        foreach (var dimension in config.Search?.Space.Where(d => config.Trainer.Kind.Find(d.Parameter) is null) ?? [])
            yaml.Error(At("search"), $"search.space has `{dimension.Parameter}`, which trainer {config.Trainer.Kind.Name} does not have", Suggestion.Remedy(dimension.Parameter, config.Trainer.Kind.Parameters.Select(p => p.Name), "parameters"));
    }

    private SplitOptions ReadSplit(YamlNode node)
    {
        var split = new SplitOptions();
        foreach (var (key, value) in yaml.Entries(node, "split", TrainKeys.Split))
        {
            split = key.Text switch
            {
                "by" => split with { Kind = (SplitKind)values.Choice(value, "split.by", ["time", "entity", "random"]) },
                "trainFrom" => split with { TrainFrom = values.Date(value, "split.trainFrom") },
                "validation" when ConfigValues.IsNumber(value) => split with { Validation = values.Number(value, "split.validation", 0.15, 0, 1) },
                "validation" => split with { ValidationFrom = values.Date(value, "split.validation") },
                "test" => split with { TestFrom = values.Date(value, "split.test") },
                "testTo" => split with { TestTo = values.Date(value, "split.testTo") },
                "train" => split with { Train = values.Number(value, "split.train", 0.7, 0, 1) },
                "gap" => split with { Gap = values.Duration(value, "split.gap") },
                _ => split with { Entity = [.. yaml.Texts(value, "split.entity").Select(t => t.Text)] },
            };
        }

        return split;
    }

    private TrainConfig ReadFeatures(TrainConfig config, YamlNode node)
    {
        foreach (var (key, value) in yaml.Entries(node, "features", TrainKeys.Features))
        {
            IReadOnlyList<string> names = [.. yaml.Texts(value, $"features.{key.Text}").Select(t => t.Text)];
            config = key.Text switch
            {
                "include" => config with { Pipeline = config.Pipeline with { Include = names } },
                "exclude" => config with { Pipeline = config.Pipeline with { Exclude = names } },
                _ => config with { Request = names },
            };
        }

        return config;
    }

    private VariantDefinition ReadVariant(YamlEntry entry)
    {
        var variant = new VariantDefinition(entry.Key.Text, [], []);
        foreach (var (key, value) in yaml.Entries(entry.Value, $"variant `{entry.Key.Text}`", TrainKeys.Variant))
        {
            IReadOnlyList<string> names = [.. yaml.Texts(value, key.Text).Select(t => t.Text)];
            variant = key.Text == "include" ? variant with { Include = names } : variant with { Exclude = names };
        }

        return variant;
    }

    private List<StepDefinition> ReadSteps(YamlNode node)
    {
        if (node is YamlSequenceNode list)
        {
            List<StepDefinition> steps = [.. list.Children.Select(ReadStep).OfType<StepDefinition>()];
            foreach (var finding in StepCatalog.Check(new PipelineDefinition([], [], steps)))
                yaml.Error(finding.Location ?? yaml.At(node), finding.Message, finding.Remedy);
            return steps;
        }

        yaml.Error(yaml.At(node), "steps are a list", "Write `- { kind: one_hot, columns: [origin] }` lines below `steps:`");
        return [];
    }

    private StepDefinition? ReadStep(YamlNode node)
    {
        var (kind, columns, name) = (default(Located?), (IReadOnlyList<Located>)[], default(string));
        var parameters = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (key, value) in yaml.Entries(node, "a step"))
        {
            switch (key.Text)
            {
                case "kind": kind = yaml.Text(value, "kind"); break;
                case "columns": columns = yaml.Texts(value, "columns"); break;
                case "name": name = yaml.Text(value, "name")?.Text; break;
                default: parameters[key.Text] = string.Join(", ", yaml.Texts(value, key.Text).Select(t => t.Text)); break;
            }
        }

        if (kind is not { } known)
        {
            yaml.Error(yaml.At(node), "a step has no kind", $"Write kind: and one of {string.Join(", ", StepCatalog.Kinds.Select(k => k.Name))}");
            return null;
        }

        return new StepDefinition(known.Text, [.. columns.Select(c => c.Text)], parameters) { Name = name, Location = known.At };
    }

    private SamplingOptions ReadSampling(YamlNode node)
    {
        string[] kinds = ["none", "random", "stratified", "cluster", "reservoir", "importance", "timeDecay"];
        var sampling = SamplingOptions.None with { HalfLife = TimeSpan.FromDays(90), Size = 100_000 };
        foreach (var (key, value) in values.KindOrEntries(node, "sampling", TrainKeys.Sampling))
        {
            sampling = key switch
            {
                "kind" => sampling with { Kind = (SamplingKind)values.Choice(value, "sampling.kind", kinds) },
                "share" => sampling with { Share = values.Number(value, "sampling.share", 1, 1e-9, 1) },
                "size" => sampling with { Size = (int)values.Number(value, "sampling.size", 1, 1, int.MaxValue, isWhole: true) },
                "by" => sampling with { By = [.. yaml.Texts(value, "sampling.by").Select(t => t.Text)] },
                "weight" => sampling with { Weight = yaml.Text(value, "sampling.weight")?.Text },
                _ => sampling with { HalfLife = values.Duration(value, "sampling.halfLife") ?? TimeSpan.FromDays(90) },
            };
        }

        if (sampling.Kind == SamplingKind.Cluster && sampling.By.Count == 0)
            yaml.Error(yaml.At(node), "sampling is cluster, and names no entity", "Write by: [customer_id]");
        if (sampling.Kind == SamplingKind.Importance && sampling.Weight is null)
            yaml.Error(yaml.At(node), "sampling is importance, and names no weight", "Write weight: and the column with the rows' weights");
        return sampling;
    }

    private ImbalanceOptions ReadImbalance(YamlNode node)
    {
        var imbalance = ImbalanceOptions.None;
        foreach (var (key, value) in values.KindOrEntries(node, "imbalance", TrainKeys.Imbalance))
        {
            imbalance = key == "kind"
                ? imbalance with { Kind = (ImbalanceKind)values.Choice(value, "imbalance.kind", ["none", "classWeights", "overSample", "underSample"]) }
                : imbalance with { Rate = values.Number(value, "imbalance.rate", 0.5, 1e-6, 1 - 1e-6) };
        }

        return imbalance;
    }

    private EvaluateOptions ReadEvaluate(YamlNode node)
    {
        var evaluate = EvaluateOptions.Default;
        foreach (var (key, value) in yaml.Entries(node, "evaluate", TrainKeys.Evaluate))
        {
            evaluate = key.Text switch
            {
                "slices" => evaluate with { Slices = [.. yaml.Texts(value, "evaluate.slices").Select(t => t.Text)] },
                "cost" => evaluate with { Cost = ReadCost(value) },
                "minSliceRows" => evaluate with { MinSliceRows = (int)values.Number(value, "evaluate.minSliceRows", 100, 1, int.MaxValue, isWhole: true) },
                _ => evaluate with { PermutationRows = (int)values.Number(value, "evaluate.permutationRows", 10_000, 0, int.MaxValue, isWhole: true) },
            };
        }

        return evaluate;
    }

    private CostMatrix ReadCost(YamlNode node)
    {
        var cost = new CostMatrix();
        foreach (var (key, value) in yaml.Entries(node, "evaluate.cost", TrainKeys.Cost))
        {
            var number = values.Number(value, $"evaluate.cost.{key.Text}", 0, -1e12, 1e12);
            cost = key.Text switch
            {
                "truePositive" => cost with { TruePositive = number },
                "falsePositive" => cost with { FalsePositive = number },
                "trueNegative" => cost with { TrueNegative = number },
                _ => cost with { FalseNegative = number },
            };
        }

        return cost;
    }

    private BaselineDefinition? Baseline(Located written)
    {
        var words = written.Text.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        switch (words)
        {
            case ["majority"]:
                return new BaselineDefinition(written.Text, BaselineKind.Majority, null, false);
            case ["rate", "by", ['h', 'o', 'u', 'r', '(', .. var column, ')']]:
                return new BaselineDefinition(written.Text, BaselineKind.RateBy, column, true);
            case ["rate", "by", var column]:
                return new BaselineDefinition(written.Text, BaselineKind.RateBy, column, false);
            case ["last", "by", var column]:
                return new BaselineDefinition(written.Text, BaselineKind.LastBy, column, false);
            default:
                yaml.Error(written.At!, $"`{written.Text}` is no baseline", "Write majority, `rate by COLUMN`, `rate by hour(COLUMN)` or `last by COLUMN`");
                return null;
        }
    }
}
