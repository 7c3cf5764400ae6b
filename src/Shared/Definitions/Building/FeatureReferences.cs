using System.Text.RegularExpressions;

namespace StreamMl.Shared.Definitions.Building;

/// <summary>Resolves what services write to the features of views, in the order of the service and then of the view; each feature once.</summary>
internal sealed class FeatureReferences(IReadOnlyList<ViewDefinition> views, Findings findings)
{
    private readonly HashSet<FeatureReference> seen = [];

    public List<FeatureReference> All { get; } = [];

    /// <summary>Adds all that a reference means and returns it, new or not.</summary>
    public IReadOnlyList<FeatureReference> Resolve(Located text, SourceLocation? at, string service)
    {
        var dot = text.Text.IndexOf('.', StringComparison.Ordinal);
        if (dot <= 0 || dot == text.Text.Length - 1)
        {
            findings.Error(at, $"`{text.Text}` in service '{service}' names no feature", "Write `view.feature`, `view.*` or `view.mean(column)`");
            return [];
        }

        string viewText = text.Text[..dot].Trim(), wanted = text.Text[(dot + 1)..].Trim();
        var matching = views.Where(v => Matches(viewText, v.Name)).ToList();
        if (matching.Count == 0)
        {
            findings.Error(at, $"service '{service}' reads `{text.Text}`, and no view is called `{viewText}`", Suggestion.Remedy(viewText, views.Select(v => v.Name), "views"));
            return [];
        }

        var found = matching.SelectMany(v => v.Features.Where(f => IsWanted(wanted, f)).Select(f => new FeatureReference(v.Name, f.Name))).ToList();
        if (found.Count == 0)
            findings.Error(at, $"service '{service}' reads `{text.Text}`, and view '{matching[0].Name}' has no such feature", Suggestion.Remedy(wanted, matching[0].Features.Select(f => f.Name), $"features in '{matching[0].Name}'"));
        All.AddRange(found.Where(seen.Add));
        return found;
    }

    private static bool IsWanted(string wanted, FeatureDefinition feature)
    {
        if (!wanted.Contains('('))
            return Matches(wanted, feature.Name);
        return FeatureText.TryParseAggregation(wanted, out _) is { } aggregation && aggregation.Function == feature.Aggregation.Function
            && (aggregation.Column == "*" || aggregation.Column == feature.Aggregation.Column)
            && (aggregation.Parameter is null || aggregation.Parameter == feature.Aggregation.Parameter);
    }

    // The time limit only guards against surprises: the pattern has nothing but literals and stars.
    private static bool Matches(string pattern, string name) => pattern.Contains('*')
        ? Regex.IsMatch(name, $"^{Regex.Escape(pattern).Replace("\\*", ".*")}$", RegexOptions.CultureInvariant | RegexOptions.NonBacktracking, TimeSpan.FromSeconds(1))
        : pattern == name;
}
