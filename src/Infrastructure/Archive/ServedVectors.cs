using System.Globalization;
using StreamMl.Shared.Events;
using StreamMl.Shared.Features;

namespace StreamMl.Infrastructure.Archive;

/// <summary>What the served vectors of a service look like. File metadata keeps the service's name and hash.</summary>
/// <param name="Service">Name of the service.</param>
/// <param name="ServiceHash">Hash of its canonical form when the vectors were served.</param>
/// <param name="Keys">The keys of a request, in the service's order; kept as canonical text.</param>
/// <param name="Views">The views that are read, in the service's order.</param>
/// <param name="Columns">The vector's columns.</param>
public sealed record ServedVectorSchema(
    string Service, string ServiceHash, IReadOnlyList<string> Keys, IReadOnlyList<string> Views, IReadOnlyList<FeatureColumn> Columns)
{
    public const string AsOf = "as_of_us";
    public const string TriggerPartition = "trigger_partition";
    public const string TriggerOffset = "trigger_offset";
    public const string ServiceMetadata = "streamml.service";
    public const string HashMetadata = "streamml.service_hash";

    /// <summary>Where the keys start among the table's columns.</summary>
    public const int FirstKey = 3;

    public int FirstView => FirstKey + Keys.Count;

    public int FirstColumn => FirstView + (3 * Views.Count);

    /// <summary>Files of a service under an installation's directory.</summary>
    public static string DirectoryOf(string directory, string service) => Path.Combine(directory, "served", service);

    public EventSchema ToTable()
    {
        var fields = new List<EventField>
        {
            new(AsOf, FieldType.Int64, Nullable: false),
            new(TriggerPartition, FieldType.Int64, Nullable: true),
            new(TriggerOffset, FieldType.Int64, Nullable: true),
        };
        fields.AddRange(Keys.Select(k => new EventField(k, FieldType.String, Nullable: true)));
        foreach (var view in Views)
        {
            fields.Add(new EventField($"{view}!partition", FieldType.Int64, Nullable: true));
            fields.Add(new EventField($"{view}!next_offset", FieldType.Int64, Nullable: true));
            fields.Add(new EventField($"{view}!watermark_us", FieldType.Int64, Nullable: true));
        }

        fields.AddRange(Columns.Select(c => new EventField(c.FullName, c.Type, Nullable: true)));
        return new EventSchema(Service, fields);
    }

    internal static string FileName(string writer, int sequence) => $"{writer}-{sequence.ToString("D8", CultureInfo.InvariantCulture)}.arrow";
}

/// <summary>The prefix of a log that a served value was read from. Partition -1: the view was not read, because a key field is null.</summary>
public readonly record struct ServedPosition(int Partition, long NextOffset, long WatermarkUs)
{
    public static ServedPosition NotRead { get; } = new(-1, 0, 0);
}
