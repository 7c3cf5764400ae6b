using System.Globalization;
using System.Text;
using StreamMl.Shared.Models;

namespace StreamMl.Infrastructure.Models;

/// <summary>
/// The model card: the sections of Mitchell et al., "Model Cards for Model Reporting" (2019), filled from what is known, and each part that only a person
/// can write named as missing where nobody wrote it. The same model gives the same text. Pure.
/// </summary>
public static class ModelCard
{
    /// <summary>What people write, by key, with the question that it answers.</summary>
    public static IReadOnlyDictionary<string, string> Questions { get; } = new SortedDictionary<string, string>(StringComparer.Ordinal)
    {
        ["owner"] = "who made it and answers questions",
        ["license"] = "under which licence it may be used",
        ["intendedUse"] = "what it was made for, and for whom",
        ["outOfScope"] = "what it must not be used for",
        ["factors"] = "for which groups, instruments or environments it may behave otherwise",
        ["evaluationData"] = "why the test part is a fair picture of where it will be used",
        ["trainingData"] = "what the training set holds and how it was collected",
        ["ethicalConsiderations"] = "which risks and harms were considered",
        ["caveats"] = "what else one should know",
    };

    /// <param name="manifest">The model's.</param>
    /// <param name="metrics">What was measured; null where nothing was.</param>
    /// <param name="sections">Written by people, Markdown by key of <see cref="Questions"/>.</param>
    /// <exception cref="ModelException">A key that is no section.</exception>
    public static string Write(ModelManifest manifest, ModelMetrics? metrics, IReadOnlyDictionary<string, string> sections)
    {
        if (sections.Keys.FirstOrDefault(k => !Questions.ContainsKey(k)) is { } unknown)
            throw new ModelException($"'{unknown}' is no section of a model card; it has {string.Join(", ", Questions.Keys)}");
        var card = new Card(sections);
        card.Title($"Model card: {manifest.Name}");
        Details(card, manifest);
        card.Heading("Intended use").Section("intendedUse").Section("outOfScope");
        card.Heading("Factors").Section("factors");
        if (metrics is { Slices.Count: > 0 })
            card.Line($"Measured by slices of: {string.Join(", ", metrics.Slices.Select(s => s.Column).Distinct(StringComparer.Ordinal))}.");
        Metrics(card, metrics);
        card.Heading("Evaluation data").Section("evaluationData");
        Split(card, metrics, "test");
        card.Heading("Training data").Section("trainingData");
        Split(card, metrics, "train");
        card.Line(manifest.Lineage.TrainingManifestHash is { } hash ? $"Manifest SHA-256 `{hash}`." : "**Missing: the hash of the training set's manifest.**");
        Quantitative(card, metrics);
        card.Heading("Ethical considerations").Section("ethicalConsiderations");
        card.Heading("Caveats and recommendations").Section("caveats");
        return card.Close();
    }

    private static void Details(Card card, ModelManifest manifest)
    {
        var lineage = manifest.Lineage;
        card.Heading("Model details").Section("owner").Section("license");
        card.Table(
            ["", ""],
            [
                ["Task", manifest.Task.ToLowerInvariant()],
                ["Label", Known(manifest.Label)],
                ["Feature service", $"{manifest.Service}, definition `{manifest.ServiceHash}`"],
                ["Inputs", $"{manifest.Inputs.Count}: {manifest.Inputs.Count(i => i.Origin == "Stored")} stored features, {manifest.Inputs.Count(i => i.Origin != "Stored")} given with the request"],
                ["Run", lineage.RunId ?? "as the registry's journal says"],
                ["Commit", Known(lineage.GitCommit)],
                ["Seed", Known(lineage.Seed?.ToString(CultureInfo.InvariantCulture))],
            ]);
        if (lineage.Config is { } config)
            card.Line($"<details><summary>Configuration</summary>\n\n```yaml\n{config.Trim()}\n```\n\n</details>");
        card.Line($"<details><summary>Inputs</summary>\n\n{string.Join('\n', manifest.Inputs.Select(i => $"- `{i.Name}` ({i.Type}, {i.Origin.ToLowerInvariant()})"))}\n\n</details>");
    }

    private static void Metrics(Card card, ModelMetrics? metrics)
    {
        card.Heading("Metrics");
        if (metrics is null)
        {
            card.Missing("metrics", "what was measured");
            return;
        }

        card.Line($"Models are compared by **{metrics.Main}** ({(metrics.LowerIsBetter ? "lower" : "higher")} is better). Intervals are at 95%.");
        card.Line(metrics.Threshold is { } threshold ? $"Decided as yes from a score of {Text(threshold)}." : "No decision threshold was set.");
    }

    private static void Split(Card card, ModelMetrics? metrics, string name)
    {
        if (metrics?.Splits.FirstOrDefault(s => s.Name == name) is { } split)
            card.Line($"{split.Rows.ToString("N0", CultureInfo.InvariantCulture)} rows{(split.From is null ? "" : $" from {split.From} to {split.To}")}.");
        else
            card.Missing($"rows of the {name} part", "how many, from when to when");
    }

    private static void Quantitative(Card card, ModelMetrics? metrics)
    {
        card.Heading("Quantitative analyses");
        if (metrics is null)
        {
            card.Missing("analyses", "metrics overall and by slice");
            return;
        }

        string[] names = [.. metrics.Splits.SelectMany(s => s.Metrics.Keys).Distinct(StringComparer.Ordinal).OrderByDescending(n => n == metrics.Main).ThenBy(n => n, StringComparer.Ordinal)];
        card.Table(["part", "rows", .. names],
        [
            .. metrics.Splits.Select(s => (string[])[s.Name, Text(s.Rows), .. names.Select(n => Text(s.Metrics.GetValueOrDefault(n)))]),
            .. metrics.Baselines.Select(b => (string[])[$"baseline: {b.Name}", "", .. names.Select(n => Text(b.Metrics.GetValueOrDefault(n)))]),
        ]);
        if (metrics.Slices.Count == 0)
            card.Missing("slices", "metrics by group of rows");
        else
            card.Table(["slice", "rows", .. names], [.. metrics.Slices.Select(s => (string[])[$"{s.Column} = {s.Value}", Text(s.Rows), .. names.Select(n => Text(s.Metrics.GetValueOrDefault(n)))])]);
        if (metrics.Importance.Count > 0)
            card.Table(["input", "permutation", "gain"], [.. metrics.Importance.Take(20).Select(i => (string[])[i.Input, Text(i.Permutation), Text(i.Gain)])]);
    }

    private static string Known(string? value) => value ?? "**missing**";

    private static string Text(double? value) => value?.ToString("0.####", CultureInfo.InvariantCulture) ?? "";

    private static string Text(MetricEstimate? estimate) => estimate is null ? "" : estimate.Low is null ? Text(estimate.Value) : $"{Text(estimate.Value)} ({Text(estimate.Low)} to {Text(estimate.High)})";

    /// <summary>Markdown, with a list of what is missing at its end.</summary>
    private sealed class Card(IReadOnlyDictionary<string, string> sections)
    {
        private readonly StringBuilder text = new();
        private readonly List<string> missing = [];

        public void Title(string title) => text.Append("# ").Append(title).Append('\n');

        public Card Heading(string heading)
        {
            text.Append("\n## ").Append(heading).Append('\n');
            return this;
        }

        public Card Section(string key)
        {
            if (sections.TryGetValue(key, out var written) && written.Trim().Length > 0)
                Line(written.Trim());
            else
                Missing(key, Questions[key]);
            return this;
        }

        public void Missing(string key, string question)
        {
            missing.Add(key);
            Line($"**Missing: {key}** ({question}).");
        }

        public void Line(string line) => text.Append('\n').Append(line).Append('\n');

        public void Table(string[] head, IReadOnlyList<string[]> rows)
        {
            text.Append('\n').Append("| ").AppendJoin(" | ", head).Append(" |\n|").Append(string.Concat(head.Select(_ => "---|"))).Append('\n');
            foreach (var row in rows)
                text.Append("| ").AppendJoin(" | ", row.Select(c => c.Replace("|", "\\|", StringComparison.Ordinal))).Append(" |\n");
        }

        public string Close()
        {
            if (missing.Count > 0)
                text.Append("\n---\nMissing here: ").AppendJoin(", ", missing).Append(". People write them, under `card:` in the training configuration.\n");
            return text.ToString();
        }
    }
}
