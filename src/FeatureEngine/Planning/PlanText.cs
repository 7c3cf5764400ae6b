using System.Text;
using StreamMl.Shared.Definitions;

namespace StreamMl.FeatureEngine.Planning;

/// <summary>A plan as text for a terminal. Pure; thread-safe.</summary>
public static class PlanText
{
    public static string Write(CatalogPlan plan)
    {
        var text = new StringBuilder();
        foreach (var view in plan.Views)
            WriteView(text, view);
        foreach (var service in plan.Services)
        {
            text.AppendLine($"service {service.Name}  {service.Hash[..8]}");
            text.AppendLine($"  {service.Columns} columns about {string.Join(", ", service.Entities)}");
            text.AppendLine($"  a read: {service.StateKeys} states and {service.PositionKeys} positions, about {Bytes(service.BytesTypical)}, at most {service.TilesPerRead} tiles");
        }

        if (plan.RepartitionTopics.Count > 0)
            text.AppendLine($"repartition topics: {string.Join(", ", plan.RepartitionTopics)}");
        foreach (var change in plan.Changes)
        {
            text.AppendLine($"{change.Kind.ToString().ToLowerInvariant()} {change.What} {change.Name}. {change.Consequence}");
            foreach (var detail in change.Details)
                text.AppendLine($"  {detail}");
        }

        foreach (var diagnostic in plan.Diagnostics)
            text.AppendLine(diagnostic.ToString());
        return text.ToString();
    }

    private static void WriteView(StringBuilder text, ViewPlan view)
    {
        text.AppendLine($"view {view.Name}@{view.Hash8}  entity {view.Entity}");
        text.AppendLine($"  reads {view.Log} ({view.Partitions} partitions{(view.IsRepartitioned ? ", repartitioned" : "")}), {view.Outputs.Count} columns");
        foreach (var level in view.Levels)
        {
            var hop = level.Hop is { } span ? $"hop {Durations.Format(span)}" : "lifetime";
            var windows = string.Join(", ", level.Windows.Select(w => $"{w.Window} ({w.Tiles} tile{(w.Tiles == 1 ? "" : "s")} a read)"));
            text.AppendLine($"  {hop}: {windows}; at most {level.TilesKept} tiles of {level.TileBytes} bytes");
        }

        var forget = view.ForgetAfter is { } after ? $"forgotten {Durations.Format(after)} after the last event" : "kept for ever";
        text.AppendLine($"  an entity: about {Bytes(view.BytesTypical)}, at most {Bytes(view.BytesWorst)}; {forget}");
    }

    private static string Bytes(long bytes) => bytes switch
    {
        < 10_000 => $"{bytes} B",
        < 10_000_000 => $"{bytes / 1000.0:0.#} kB",
        _ => $"{bytes / 1e6:0.#} MB",
    };
}
