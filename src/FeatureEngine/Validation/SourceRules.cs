using StreamMl.Shared.Definitions;
using StreamMl.Shared.Events;

namespace StreamMl.FeatureEngine.Validation;

/// <summary>What a source must be.</summary>
internal static class SourceRules
{
    private const int MaxTopicLength = 200;

    public static void Check(SourceDefinition source, Report report)
    {
        Names.CheckName(source.Name, "source", source.Location, report);
        var topicIsLegal = source.Topic.Length is > 0 and <= MaxTopicLength && source.Topic.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-');
        if (!topicIsLegal || source.Topic is "." or "..")
            report.Error(source.Parts.Find("topic") ?? source.Location, $"`{source.Topic}` is no topic name", $"Use up to {MaxTopicLength} letters, digits, ., _ and -");
        CheckEventTime(source, report);
        var at = source.Parts.Find("key") ?? source.Location;
        foreach (var key in source.KeyFields)
            CheckKeyField(source, key, at, $"key of source '{source.Name}'", report);
        if (source.KeyFields.Distinct(StringComparer.Ordinal).Count() != source.KeyFields.Count)
            report.Error(at, $"source '{source.Name}' names a key field twice: {string.Join(", ", source.KeyFields)}", "Name each once");
        if (source.Partitions is < 1 or > 1024)
            report.Error(source.Parts.Find("partitions") ?? source.Location, $"source '{source.Name}' has {source.Partitions} partitions", "Use 1 to 1024");
        if (source.MaxFutureSkew < TimeSpan.Zero || source.MaxFutureSkew > TrailingWindow.MaxLength)
            report.Error(source.Parts.Find("maxFutureSkew") ?? source.Location, $"maxFutureSkew of source '{source.Name}' is {Durations.Format(source.MaxFutureSkew)}", "Use 0s to 365d; 5m is the default");
    }

    /// <summary>Checks a field that is part of a key, and gives its type where it can be.</summary>
    public static FieldType? CheckKeyField(SourceDefinition source, string field, SourceLocation? at, string what, Report report)
    {
        if (source.Schema.Find(field) is not { } found)
        {
            report.Error(at, $"{what} is `{field}`, which is no field of source '{source.Name}'", Suggestion.Remedy(field, source.Schema.Fields.Select(f => f.Name), "fields"));
            return null;
        }

        if (found.Type != FieldType.Float64)
            return found.Type;
        report.Error(at, $"{what} is `{field}`, a Float64, and equal keys could differ in bits", "Use a string, an integer, a Boolean or a timestamp");
        return null;
    }

    private static void CheckEventTime(SourceDefinition source, Report report)
    {
        var at = source.Parts.Find("eventTime") ?? source.Location;
        var times = source.Schema.Fields.Where(f => f.Type == FieldType.Timestamp).Select(f => f.Name).ToList();
        var field = source.Schema.Find(source.EventTimeField);
        if (field is null)
            report.Error(at, $"the event time of source '{source.Name}' is `{source.EventTimeField}`, which its schema does not have", TimesRemedy(source.EventTimeField, times));
        else if (field.Type != FieldType.Timestamp)
            report.Error(at, $"the event time of source '{source.Name}' is `{field.Name}`, a {field.Type}", TimesRemedy(field.Name, times));
        else if (field.Nullable)
            report.Warn(at, $"the event time of source '{source.Name}' may be null; such events go to the dead-letter topic", "Make the field required in the Avro schema");
    }

    private static string TimesRemedy(string name, List<string> times) => times.Count == 0
        ? "Give the Avro schema a long with logicalType timestamp-millis or timestamp-micros"
        : $"`eventTime` must name a timestamp. {Suggestion.Remedy(name, times, "timestamps")}";
}
