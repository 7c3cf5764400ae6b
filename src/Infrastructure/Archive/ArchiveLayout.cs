using System.Globalization;
using System.Text.Json;
using StreamMl.Shared;
using StreamMl.Shared.Log;
using StreamMl.Shared.Store;

namespace StreamMl.Infrastructure.Archive;

/// <summary>One complete file of the archive: it covers the offsets First to Last, both included; offsets that the log skipped have no row.</summary>
public sealed record ArchiveFile(string Path, long FirstOffset, long LastOffset);

/// <summary>
/// Where things lie in an archive. A contract (docs/archive.md):
/// <c>&lt;dir&gt;/&lt;log&gt;/&lt;partition&gt;/&lt;firstOffset&gt;-&lt;lastOffset&gt;.arrow</c> with offsets of 20 digits,
/// beside them <c>&lt;offset&gt;.begin</c> and <c>&lt;firstOffset&gt;-&lt;lastOffset&gt;.lost</c>, <c>&lt;dir&gt;/&lt;log&gt;/log.json</c> with the partition count, <c>&lt;dir&gt;/schemas/&lt;id&gt;.avsc</c>. Pure paths and listings; thread-safe.
/// </summary>
public sealed class ArchiveLayout(string directory)
{
    public string Directory { get; } = directory;

    public string LogDirectory(string log) => Path.Combine(Directory, log);

    public string PartitionDirectory(PartitionId log) => Path.Combine(Directory, log.Topic, log.Partition.ToString(CultureInfo.InvariantCulture));

    public string FilePath(PartitionId log, long firstOffset, long lastOffset) => Path.Combine(PartitionDirectory(log), $"{firstOffset:D20}-{lastOffset:D20}.arrow");

    public bool HasLog(string log) => File.Exists(InfoPath(log)) || System.IO.Directory.Exists(LogDirectory(log));

    /// <summary>Complete files of a partition in offset order; temporary files are not among them.</summary>
    public IReadOnlyList<ArchiveFile> Files(PartitionId log) => [.. Ranges(log, "arrow").Select(r => new ArchiveFile(r.Path, r.First, r.Last))];

    /// <summary>What the partition's archive does not have and never will, in offset order.</summary>
    public IReadOnlyList<ArchiveLoss> Losses(PartitionId log) => [.. Ranges(log, "lost").Select(r => new ArchiveLoss(log, r.First, r.Last))];

    /// <summary>Where an archiver of this partition goes on: behind its last file or loss, or where it was begun; null where none ever was.</summary>
    public long? NextOffset(PartitionId log) => Files(log).Select(f => f.LastOffset + 1).Concat(Losses(log).Select(l => l.LastOffset + 1)).Concat(Begins(log)).Max(o => (long?)o);

    /// <summary>Notes where the partition's archive begins, before anything is in it: what the topic drops from then on is a loss.</summary>
    public void SetBegin(PartitionId log, long offset) => DurableFile.WriteAllBytes(Path.Combine(PartitionDirectory(log), $"{offset:D20}.begin"), "The first offset that the topic had when its archive was begun."u8);

    /// <summary>Notes that these offsets, both included, are in no file and never will be.</summary>
    public void AddLoss(ArchiveLoss loss) => DurableFile.WriteAllBytes(
        Path.Combine(PartitionDirectory(loss.Partition), $"{loss.FirstOffset:D20}-{loss.LastOffset:D20}.lost"), "The topic dropped these offsets before they were archived."u8);

    /// <summary>How many partitions the log had when it was archived, or null where that is not known.</summary>
    /// <exception cref="InvalidDataException">log.json is not readable.</exception>
    public int? Partitions(string log) => Topic(log)?.Partitions;

    /// <summary>Which topic was archived: its partitions, and the id that Kafka had given it (empty where it gave none); null where that is not known.</summary>
    /// <exception cref="InvalidDataException">log.json is not readable.</exception>
    public TopicRecord? Topic(string log)
    {
        if (!File.Exists(InfoPath(log)))
            return null;
        try
        {
            using var json = JsonDocument.Parse(File.ReadAllBytes(InfoPath(log)));
            return new TopicRecord(json.RootElement.TryGetProperty("topicId", out var id) ? id.GetString() ?? "" : "", json.RootElement.GetProperty("partitions").GetInt32());
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            throw new InvalidDataException($"{InfoPath(log)} does not name the log's partitions: {e.Message}. Write {{\"partitions\": N}} into it with the topic's partition count", e);
        }
    }

    /// <summary>Notes the partition count.</summary>
    /// <exception cref="SetupException">The log was archived with another count: its entities would move between partitions.</exception>
    public void SetPartitions(string log, int partitions) => SetTopic(log, new TopicRecord("", partitions));

    /// <summary>Notes which topic is archived, or that it still is this one.</summary>
    /// <exception cref="SetupException">The archive is of another topic: one that had another partition count, or one of the same name that was deleted since.</exception>
    public void SetTopic(string log, TopicRecord topic)
    {
        var known = Topic(log);
        if (known is not null && known.Partitions != topic.Partitions)
            throw new SetupException($"topic '{log}' has {topic.Partitions} partitions, its archive in {Directory} was written from {known.Partitions}: archive the recreated topic into another directory");
        if (known is not null && !known.IsSameAs(topic))
            throw new SetupException($"topic '{log}' was recreated: its id is {topic.Id}, and its archive in {Directory} was written from {known.Id}, whose offsets mean other records. Archive the recreated topic into another directory");
        if (known is not null && (known.Id.Length > 0 || topic.Id.Length == 0))
            return;
        var info = new Dictionary<string, object>(StringComparer.Ordinal) { ["partitions"] = topic.Partitions };
        if (topic.Id.Length > 0)
            info["topicId"] = topic.Id;
        DurableFile.WriteAllBytes(InfoPath(log), JsonSerializer.SerializeToUtf8Bytes(info));
    }

    public string SchemaPath(int id) => Path.Combine(Directory, "schemas", $"{id}.avsc");

    /// <summary>Keeps a writer schema beside the records that name it; the same id is always the same schema.</summary>
    public void SaveSchema(int id, string avsc)
    {
        if (!File.Exists(SchemaPath(id)))
            DurableFile.WriteAllBytes(SchemaPath(id), System.Text.Encoding.UTF8.GetBytes(avsc));
    }

    /// <summary>Notes that the registry has no schema of this id: records that name it are bad data.</summary>
    public void SaveNoSchema(int id) => DurableFile.WriteAllBytes(NoSchemaPath(id), "The registry has no schema of this id."u8);

    /// <summary>The id was looked up: there is its schema, or a note that there is none.</summary>
    public bool HasSchema(int id) => File.Exists(SchemaPath(id)) || File.Exists(NoSchemaPath(id));

    /// <summary>The registry had no schema of this id.</summary>
    public bool IsUnknownSchema(int id) => File.Exists(NoSchemaPath(id));

    /// <exception cref="FileNotFoundException">The archive does not have it.</exception>
    public string LoadSchema(int id) => File.Exists(SchemaPath(id))
        ? File.ReadAllText(SchemaPath(id))
        : throw new FileNotFoundException($"records of the archive {Directory} were written with schema id {id}, and {SchemaPath(id)} is missing: save that schema from the registry (GET /schemas/ids/{id}) there", SchemaPath(id));

    private IEnumerable<long> Begins(PartitionId log) => Marked(log, "begin").Select(m => m.Parts is [var text] && Offset(text) is { } offset ? (long?)offset : null).OfType<long>();

    private IEnumerable<(string Path, long First, long Last)> Ranges(PartitionId log, string extension) => Marked(log, extension)
        .Select(m => m.Parts is [var first, var last] && Offset(first) is { } from && Offset(last) is { } to ? (m.Path, First: from, Last: to) : default)
        .Where(r => r.Path is not null)
        .OrderBy(r => r.First);

    private IEnumerable<(string Path, string[] Parts)> Marked(PartitionId log, string extension) => System.IO.Directory.Exists(PartitionDirectory(log))
        ? System.IO.Directory.EnumerateFiles(PartitionDirectory(log), $"*.{extension}").Select(path => (path, Path.GetFileNameWithoutExtension(path).Split('-')))
        : [];

    private static long? Offset(string text) => long.TryParse(text, CultureInfo.InvariantCulture, out var offset) ? offset : null;

    private string NoSchemaPath(int id) => Path.Combine(Directory, "schemas", $"{id}.missing");

    private string InfoPath(string log) => Path.Combine(Directory, log, "log.json");
}
