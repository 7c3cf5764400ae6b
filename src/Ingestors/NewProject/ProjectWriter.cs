using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using StreamMl.Shared.Events;
using StreamMl.Shared.Time;

namespace StreamMl.Ingestors.NewProject;

/// <summary>The texts of a new project. Pure.</summary>
internal sealed class ProjectWriter(string name, string filePath, FileProfile profile, ColumnProfile time, IReadOnlyList<ColumnProfile> keys)
{
    private const int MeansMax = 10;
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true, Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly Dictionary<string, string> fieldNames = Names(profile);

    private string View => $"{Plain(name)}_by_{string.Join('_', keys.Select(k => fieldNames[k.Name]))}";

    public string FirstFeature => $"{View}.count_24h";

    public string Service => $"{Plain(name)}_features";

    public IReadOnlyList<string> KeyFields => [.. keys.Select(k => fieldNames[k.Name])];

    /// <summary>Reads the last row's entity as of the last event; run beside `streamml up`, in the project's folder.</summary>
    public string GetCommand => $"streamml get {Service} {string.Join(' ', keys.Select(k => $"--entity \"{fieldNames[k.Name]}={k.Example}\""))} --as-of {TimeGrid.Format(time.GreatestUs)}";

    /// <summary>The name as Avro and view names take it.</summary>
    public static string Plain(string text)
    {
        var plain = new StringBuilder();
        foreach (var c in text)
        {
            if (char.IsAsciiLetterOrDigit(c))
                plain.Append(char.ToLowerInvariant(c));
            else if (plain.Length > 0 && plain[^1] != '_')
                plain.Append('_');
        }

        var trimmed = plain.ToString().Trim('_');
        return trimmed.Length == 0 || char.IsAsciiDigit(trimmed[0]) ? $"c_{trimmed}" : trimmed;
    }

    public string Schema()
    {
        var fields = new JsonArray();
        foreach (var column in profile.Columns)
        {
            var isRequired = column == time;
            var type = AvroType(column);
            var field = new JsonObject { ["name"] = fieldNames[column.Name], ["type"] = isRequired ? type : new JsonArray("null", type) };
            if (!isRequired)
                field["default"] = null;
            field["doc"] = column.Name;
            fields.Add((JsonNode)field);
        }

        return new JsonObject { ["type"] = "record", ["name"] = Plain(name), ["fields"] = fields }.ToJsonString(Indented) + "\n";
    }

    public string Catalog()
    {
        var key = keys.Count == 1 ? KeyFields[0] : $"[{string.Join(", ", KeyFields)}]";
        var entity = string.Join('_', KeyFields);
        var features = new List<string> { "count" };
        features.AddRange(profile.Columns.Where(c => c != time && !keys.Contains(c) && (c.Type == FieldType.Float64 || (c.Type == FieldType.Int64 && !c.IsUnique))).Take(MeansMax).Select(c => $"mean({fieldNames[c.Name]})"));
        return $"""
            # What the features are. `streamml validate` checks it.
            catalog: {Plain(name)}

            sources:
              {name}:
                schema: schemas/{name}.avsc
                eventTime: {fieldNames[time.Name]}
                key: {key}
                partitions: 4

            entities:
              {entity}: {key}

            views:
              {View}:
                source: {name}
                entity: {entity}
                features: [{string.Join(", ", features)}]
                windows: [1h, 24h, 7d]

            services:
              {Service}:
                features: [{View}.*]

            """;
    }

    public string Mapping()
    {
        var quoted = QuotedColumn(time.Name);
        var guess = time.Time!.Yaml;
        var text = new StringBuilder($"""
            # Which file feeds which source of catalog.yaml, and how.
            catalog: catalog.yaml

            sources:
              {name}:
                file: "{filePath.Replace('\\', '/')}"
                eventTime: {(guess.Length == 0 ? Yaml(quoted) : $"{{ time: {Yaml(quoted)}, {guess} }}")}
                # The file does not say when a row could first be known: here, when it happened. Say arrivalDelay or arrivalTime where that is later.
                arrivalDelay: 0s

            """);
        if (!time.IsAscending)
            text.AppendLine("    sort: true                # the file is not in the order of time");
        var renamed = profile.Columns.Where(c => fieldNames[c.Name] != c.Name && c != time).ToList();
        if (renamed.Count > 0)
            text.AppendLine("    fields:");
        foreach (var column in renamed)
            text.AppendLine($"      {fieldNames[column.Name]}: {Yaml(column.Name)}");
        return text.ToString();
    }

    public string Readme() => $"""
        # {name}

        Written by `streamml new` from {Path.GetFileName(filePath)} ({profile.Rows:N0} rows looked at{(time.NotTimes > 0 ? $"; {time.NotTimes:N0} have no readable time and will be dead letters" : "")}).

        - `catalog.yaml`: the source, one view ({View}) and one service ({Service}). Change them freely.
        - `schemas/{name}.avsc`: the fields; all but the time may be null.
        - `mapping.yaml`: how the file becomes events.

            streamml validate
            streamml up --replay mapping.yaml
            {GetCommand}

        The first feature to look at: `{FirstFeature}`.

        """;

    private static string AvroPrimitive(FieldType type) => type switch
    {
        FieldType.Boolean => "boolean",
        FieldType.Int64 => "long",
        FieldType.Float64 => "double",
        _ => "string",
    };

    private JsonNode AvroType(ColumnProfile column) => column == time || column.Type == FieldType.Timestamp
        ? new JsonObject { ["type"] = "long", ["logicalType"] = "timestamp-micros" }
        : JsonValue.Create(AvroPrimitive(column.Type));

    private static string QuotedColumn(string column) => column.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '.') ? column : $"`{column}`";

    private static string Yaml(string text) => $"\"{text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)}\"";

    private static Dictionary<string, string> Names(FileProfile profile)
    {
        var names = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var column in profile.Columns)
        {
            var plain = IsAvroName(column.Name) ? column.Name : Plain(column.Name);
            var unique = plain;
            for (var i = 2; names.ContainsValue(unique); i++)
                unique = $"{plain}_{i}";
            names[column.Name] = unique;
        }

        return names;
    }

    private static bool IsAvroName(string name) =>
        name.Length > 0 && !char.IsAsciiDigit(name[0]) && name.All(c => char.IsAsciiLetterOrDigit(c) || c == '_');
}
