using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace StreamMl.Infrastructure.TrainingSets;

/// <summary>A file of the training set.</summary>
public sealed record ManifestFile(string Name, long Rows, long Bytes, string Sha256);

/// <summary>A column of the training set.</summary>
/// <param name="Name">As in the files.</param>
/// <param name="Type">Boolean, Int64, Float64, String or Timestamp (microseconds, UTC).</param>
/// <param name="Role">One of <see cref="ColumnRoles"/>.</param>
public sealed record ManifestColumn(string Name, string Type, string Role);

/// <summary>What a column is there for.</summary>
public static class ColumnRoles
{
    /// <summary>The time of the row's read.</summary>
    public const string Time = "time";

    /// <summary>A field that the service reads by.</summary>
    public const string Key = "key";

    /// <summary>A column of the service.</summary>
    public const string Feature = "feature";

    /// <summary>What is to be predicted.</summary>
    public const string Label = "label";

    /// <summary>When the label could first be known: the arrival of the event that it comes from.</summary>
    public const string LabelTime = "label time";

    /// <summary>Where the trigger event stands in its log.</summary>
    public const string Position = "position";

    /// <summary>Any other field of the trigger event, or column of the spine file.</summary>
    public const string Carried = "carried";
}

/// <summary>A log that was read.</summary>
/// <param name="Log">Its name.</param>
/// <param name="Origin">archive, source archive (a repartition log that was never archived) or history (a plain file).</param>
/// <param name="NextOffsets">By partition, the offset behind the longest prefix that a value was read at. Where the origin is not the archive, offsets count rows in the order of arrival.</param>
public sealed record ManifestLog(string Log, string Origin, IReadOnlyList<long> NextOffsets);

/// <summary>What a training set is and what it was made from: <c>manifest.json</c>. The same request over the same archive gives the same bytes.</summary>
public sealed record TrainingManifest
{
    public const string FileName = "manifest.json";

    /// <summary>Version of this file's form.</summary>
    public int Version { get; init; } = 1;

    public required string Service { get; init; }

    public required string ServiceHash { get; init; }

    /// <summary>Hash of each view's definition, by name.</summary>
    public required IReadOnlyDictionary<string, string> ViewHashes { get; init; }

    /// <summary>arrival-time or event-time.</summary>
    public required string Mode { get; init; }

    /// <summary>From event time to arrival, in event-time mode and for history files.</summary>
    public required string Delay { get; init; }

    public required string ServingDelay { get; init; }

    /// <summary>The spine file's name and SHA-256, or the trigger's topic.</summary>
    public required string Spine { get; init; }

    public required string? Label { get; init; }

    /// <summary>Rows whose prefix is the one that an online read reported.</summary>
    public required bool UsesServedPrefixes { get; init; }

    public required long Rows { get; init; }

    /// <summary>Rows that are not in it, by reason.</summary>
    public required IReadOnlyDictionary<string, long> LeftOut { get; init; }

    public required IReadOnlyList<ManifestLog> Logs { get; init; }

    public required IReadOnlyList<ManifestColumn> Columns { get; init; }

    public required IReadOnlyList<ManifestFile> Files { get; init; }

    private static readonly JsonSerializerOptions Json = new()
    {
        WriteIndented = true,
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        DefaultIgnoreCondition = JsonIgnoreCondition.Never,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    public byte[] ToJson() => [.. JsonSerializer.SerializeToUtf8Bytes(this, Json), (byte)'\n'];

    public static TrainingManifest Load(string directory) =>
        JsonSerializer.Deserialize<TrainingManifest>(File.ReadAllBytes(Path.Combine(directory, FileName)), Json)
        ?? throw new InvalidDataException($"{Path.Combine(directory, FileName)} is empty");
}
