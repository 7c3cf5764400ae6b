using System.Text;
using StreamMl.Shared.Definitions;

namespace StreamMl.Shared.Log;

/// <summary>Names on the wire: topics and store keys. A change here is a change of a contract.</summary>
public static class LogNames
{
    internal const string PositionSuffix = "!pos";
    internal const string AnewSuffix = "!anew";

    /// <summary>Header of a repartitioned record: source partition (int32 BE) and source offset (int64 BE).</summary>
    public const string SourcePositionHeader = "sml-src";

    /// <summary>The topic that carries a source's records under another key: <c>landings.by.origin-carrier</c>, or <c>landings.by.all</c> for the global key.</summary>
    public static string RepartitionTopic(string sourceTopic, IReadOnlyList<string> keyFields) =>
        $"{sourceTopic}.by.{(keyFields.Count == 0 ? "all" : string.Join('-', keyFields))}";

    /// <summary>The log that a view reads: its source's topic where the keys are the same, else the repartition topic.</summary>
    public static string LogOf(SourceDefinition source, ViewDefinition view) =>
        view.KeyFields.SequenceEqual(source.KeyFields) ? source.Topic : RepartitionTopic(source.Topic, view.KeyFields);

    /// <summary>Every log of a source: those that its views read, then its own topic.</summary>
    public static IEnumerable<string> LogsOf(Catalog catalog, SourceDefinition source) =>
        catalog.ViewsOf(source).Select(v => LogOf(source, v)).Append(source.Topic).Distinct(StringComparer.Ordinal);

    /// <summary>Every partition of every log of these sources.</summary>
    public static IReadOnlyList<PartitionId> PartitionsOf(Catalog catalog, IEnumerable<SourceDefinition> sources) =>
        [.. sources.SelectMany(s => LogsOf(catalog, s).SelectMany(l => Enumerable.Range(0, s.Partitions).Select(p => new PartitionId(l, p))))];

    public static string DeadLetterTopic(string topic) => $"{topic}.dead-letter";

    /// <summary>All keys of a log's partition start with this hash tag, so a cluster keeps them in one slot.</summary>
    public static string HashTag(PartitionId log) => $"{{{log.Topic}/{log.Partition}}}";

    public static string StatePrefix(PartitionId log, string view, string viewHash8) => $"{HashTag(log)}{view}@{viewHash8}/";

    public static string PositionKey(PartitionId log, string view, string viewHash8) => $"{HashTag(log)}{view}@{viewHash8}{PositionSuffix}";

    /// <summary>
    /// That a view version is built beside the one that runs: see <see cref="Store.BesideRecord"/>. On a log's first partition only, as <see cref="ReaderKey"/> is.
    /// </summary>
    public static string BesideKey(string log, string view, string viewHash8) => $"{HashTag(new PartitionId(log, 0))}{view}@{viewHash8}!beside";

    /// <summary>When a reader of this view version was last seen: see <see cref="Store.ReaderRecord"/>.</summary>
    public static string ReaderKey(string log, string view, string viewHash8) => $"{HashTag(new PartitionId(log, 0))}{view}@{viewHash8}!reader";

    /// <summary>
    /// Says that whoever claims this position next, and finds none, begins at the first offset that the log then has, knowing that what was before it is in no value:
    /// <c>streamml reset</c> leaves it. The claim takes it away.
    /// </summary>
    public static string AnewKey(string positionKey) => $"{positionKey[..^PositionSuffix.Length]}{AnewSuffix}";

    /// <summary>Reads what <see cref="PositionKey"/> wrote; false for any other key.</summary>
    public static bool TryParsePositionKey(string key, out PartitionId log, out string view, out string viewHash8)
    {
        (log, view, viewHash8) = (default, "", "");
        var end = key.IndexOf('}');
        var slash = end > 0 ? key.LastIndexOf('/', end) : -1;
        var at = end > 0 ? key.IndexOf('@', end) : -1;
        if (!key.StartsWith('{') || slash < 0 || at < 0 || !key.EndsWith(PositionSuffix, StringComparison.Ordinal) || key.Length - at != 1 + 8 + PositionSuffix.Length
            || !int.TryParse(key.AsSpan(slash + 1, end - slash - 1), System.Globalization.CultureInfo.InvariantCulture, out var partition))
        {
            return false;
        }

        (log, view, viewHash8) = (new PartitionId(key[1..slash], partition), key[(end + 1)..at], key.Substring(at + 1, 8));
        return true;
    }

    /// <summary>The log's own progress (read, decoded, routed, counted in the ledger): a position beside those of the views.</summary>
    public static string SourcePositionKey(PartitionId log) => $"{HashTag(log)}!source{PositionSuffix}";

    /// <summary>How far a service has read its trigger; a sink of it keeps its own, as <c>NAME.SINK</c>.</summary>
    public static string ServicePositionKey(PartitionId trigger, string service) => $"{HashTag(trigger)}service.{service}{PositionSuffix}";

    /// <summary>How far a source partition was copied into repartition topics: see <see cref="Store.RoutesRecord"/>.</summary>
    public static string RoutesKey(PartitionId log) => $"{HashTag(log)}!routes";

    /// <summary>Which topic the positions of this partition belong to: see <see cref="Store.TopicRecord"/>.</summary>
    public static string TopicKey(PartitionId log) => $"{HashTag(log)}!topic";

    public static string LedgerKey(PartitionId log) => $"{HashTag(log)}!ledger";

    public static byte[] StateKey(PartitionId log, string view, string viewHash8, ReadOnlySpan<byte> entityKey) =>
        [.. Encoding.UTF8.GetBytes(StatePrefix(log, view, viewHash8)), .. entityKey];
}
