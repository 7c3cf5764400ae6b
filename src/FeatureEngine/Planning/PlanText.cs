using System.Text;
using StreamMl.Shared.Definitions;

namespace StreamMl.FeatureEngine.Planning;

/// <summary>A plan as text for a terminal or a file: tables of aligned columns, then what changes, then what is wrong. Pure; thread-safe.</summary>
public static class PlanText
{
    public static string Write(CatalogPlan plan)
    {
        var text = new StringBuilder();
        AppendTable(text, ["view", "entity", "log", "partitions", "columns", "hop x tiles kept", "tiles a read", "bytes an entity", "at most", "forgotten after"], [.. plan.Views.Select(Cells)]);
        if (plan.Services.Count > 0)
        {
            text.AppendLine();
            AppendTable(text, ["service", "about", "columns", "states a read", "tiles a read", "bytes a read"], [.. plan.Services.Select(Cells)]);
        }

        if (plan.RepartitionTopics.Count > 0)
            text.AppendLine().AppendLine($"{plan.RepartitionTopics.Count} repartition topics: {string.Join(", ", plan.RepartitionTopics)}");
        if (plan.Store is { } store)
            text.AppendLine().AppendLine($"The store takes about {Bytes(store.BytesTypical)} and at most {Bytes(store.BytesWorst)} for {string.Join(", ", store.Entities.Select(e => $"{e.Value:N0} {e.Key}"))}{(store.Memory is { } memory ? $"; it has {memory}" : "")}");
        AppendChanges(text, plan);
        return text.ToString();
    }

    private static string[] Cells(ViewPlan view) =>
    [
        $"{view.Name}@{view.Hash8}", view.Entity, view.Log, $"{view.Partitions}", $"{view.Outputs.Count}",
        string.Join(' ', view.Levels.Select(l => $"{(l.Hop is { } hop ? Durations.Format(hop) : "lifetime")}x{l.TilesKept}")),
        $"{view.TilesPerRead}", Bytes(view.BytesTypical), Bytes(view.BytesWorst), view.ForgetAfter is { } after ? Span(after) : "never",
    ];

    private static string[] Cells(ServicePlan service) =>
    [
        $"{service.Name}@{service.Hash[..8]}", string.Join(", ", service.Entities), $"{service.Columns}", $"{service.StateKeys}", $"{service.TilesPerRead}", Bytes(service.BytesTypical),
    ];

    private static void AppendChanges(StringBuilder text, CatalogPlan plan)
    {
        if (plan.Changes.Count > 0 || plan.Diagnostics.Count > 0)
            text.AppendLine();
        foreach (var change in plan.Changes)
        {
            text.AppendLine($"{change.Kind.ToString().ToLowerInvariant()} {change.What} {change.Name}. {change.Consequence}");
            foreach (var detail in change.Details)
                text.AppendLine($"  {detail}");
        }

        foreach (var diagnostic in plan.Diagnostics)
            text.AppendLine(diagnostic.ToString());
    }

    // The last column is not padded, so that no line ends in blanks.
    private static void AppendTable(StringBuilder text, string[] head, IReadOnlyList<string[]> rows)
    {
        var widths = head.Select((title, c) => rows.Select(r => r[c].Length).Append(title.Length).Max()).ToArray();
        foreach (var row in rows.Prepend(head))
            text.AppendLine(string.Join("  ", row.Select((cell, c) => IsNumber(head[c]) ? cell.PadLeft(widths[c]) : c == row.Length - 1 ? cell : cell.PadRight(widths[c]))));
    }

    private static bool IsNumber(string title) => title is "partitions" or "columns" or "at most" || title.Contains(" a ", StringComparison.Ordinal) || title.Contains(" an ", StringComparison.Ordinal);

    // 10450m says little to a person; 7d 6h 10m does.
    private static string Span(TimeSpan span) => string.Join(' ', new[]
    {
        span.Days > 0 ? $"{span.Days}d" : "", span.Hours > 0 ? $"{span.Hours}h" : "", span.Minutes > 0 ? $"{span.Minutes}m" : "", span.Seconds > 0 ? $"{span.Seconds}s" : "",
    }.Where(part => part.Length > 0));

    internal static string Bytes(long bytes) => bytes switch
    {
        < 10_000 => $"{bytes} B",
        < 10_000_000 => $"{bytes / 1000.0:0.#} kB",
        _ => $"{bytes / 1e6:0.#} MB",
    };
}
