using StreamMl.Shared.Definitions;

namespace StreamMl.FeatureEngine.Validation;

/// <summary>What a service must be.</summary>
internal static class ServiceRules
{
    public static void Check(Catalog catalog, ServiceDefinition service, EntityKeyTypes keys, Report report)
    {
        Names.CheckName(service.Name, "service", service.Location, report);
        if (service.ServingDelay < TimeSpan.Zero || service.ServingDelay > TrailingWindow.MaxLength)
            report.Error(service.Parts.Find("servingDelay") ?? service.Location, $"servingDelay of service '{service.Name}' is {Durations.Format(service.ServingDelay)}", "Use 0s to 365d");
        var views = new List<ViewDefinition>();
        foreach (var reference in service.Features)
            CheckReference(catalog, service, reference, views, report);
        if (service.Trigger is null)
            return;
        if (catalog.Sources.FirstOrDefault(s => s.Name == service.Trigger) is not { } trigger)
        {
            report.Error(service.Parts.Find("trigger") ?? service.Location, $"service '{service.Name}' is triggered by `{service.Trigger}`, which is no source", Suggestion.Remedy(service.Trigger, catalog.Sources.Select(s => s.Name), "sources"));
            return;
        }

        foreach (var entity in views.Select(v => v.Entity).Distinct(StringComparer.Ordinal))
        {
            if (catalog.Entities.FirstOrDefault(e => e.Name == entity) is { } found)
                CheckTrigger(service, trigger, found, keys, report);
        }
    }

    private static void CheckReference(Catalog catalog, ServiceDefinition service, FeatureReference reference, List<ViewDefinition> views, Report report)
    {
        var at = service.Parts.Find(reference.ToString()) ?? service.Location;
        if (catalog.Views.FirstOrDefault(v => v.Name == reference.View) is not { } view)
        {
            report.Error(at, $"service '{service.Name}' reads `{reference}`, and no view is called `{reference.View}`", Suggestion.Remedy(reference.View, catalog.Views.Select(v => v.Name), "views"));
            return;
        }

        views.Add(view);
        if (view.Features.All(f => f.Name != reference.Feature))
            report.Error(at, $"service '{service.Name}' reads `{reference}`, and view '{view.Name}' has no such feature", Suggestion.Remedy(reference.Feature, view.Features.Select(f => f.Name), $"features in '{view.Name}'"));
    }

    private static void CheckTrigger(ServiceDefinition service, SourceDefinition trigger, EntityDefinition entity, EntityKeyTypes keys, Report report)
    {
        var at = service.Parts.Find("trigger") ?? service.Location;
        for (var i = 0; i < entity.Keys.Count; i++)
        {
            if (trigger.Schema.Find(entity.Keys[i]) is { } field)
                keys.Note(entity, i, field.Type, at, $"trigger '{trigger.Name}' of service '{service.Name}'");
            else
                report.Error(at, $"service '{service.Name}' reads features of entity '{entity.Name}', and its trigger '{trigger.Name}' has no field `{entity.Keys[i]}` to find it by", $"Add `{entity.Keys[i]}` to the trigger's schema, take another trigger, or leave these features out");
        }
    }
}
