using StreamMl.Infrastructure.Archive;
using StreamMl.Infrastructure.Avro;
using StreamMl.Shared.Definitions;
using StreamMl.Shared.Log;

namespace StreamMl.BatchBackfill.Logs;

/// <summary>Finds where the records of a log are: in its archive, in its source's archive, or in a plain file.</summary>
internal sealed class LogInputs(ArchiveLayout layout, IReadOnlyList<HistoryFile> history, TimeSpan historyDelay, long maxSortBytes)
{
    /// <summary>The log of some views of one source that are keyed alike.</summary>
    /// <exception cref="BackfillException">It is nowhere.</exception>
    public LogInput Of(SourceDefinition source, string log, IReadOnlyList<string> keyFields)
    {
        var isSource = log == source.Topic;
        if (history.FirstOrDefault(h => h.Source == source.Name) is { } file)
            return isSource ? FromHistory(source, file) : Rekeyed(source, log, keyFields, FromHistory(source, file), "history");
        if (layout.HasLog(log))
            return FromArchive(source, log);
        if (!isSource && layout.HasLog(source.Topic))
            return Rekeyed(source, log, keyFields, FromArchive(source, source.Topic), "source archive");
        throw new BackfillException($"log '{log}' is not in the archive {layout.Directory}{(isSource ? "" : $", nor is its source's log '{source.Topic}'")}: run the archiver over it, or name a file of its events with --history {source.Name}=FILE");
    }

    private LogInput FromArchive(SourceDefinition source, string log)
    {
        var partitions = layout.Partitions(log) ?? source.Partitions;
        var readers = Enumerable.Range(0, partitions).Select(p => new ArchivePartitionReader(layout, new PartitionId(log, p))).ToList();
        foreach (var reader in readers)
            reader.RequireNoLoss();
        foreach (var reader in readers.Where(r => r.FirstOffset > 0))
            reader.Require(0, 1);
        return new LogInput(
            log, partitions, "archive", readers.Sum(r => r.EndOffset),
            schema =>
            {
                var decoders = new EventDecoderSet(source, schema, (id, _) => ValueTask.FromResult(layout.LoadSchema(id)));
                return [.. readers.Select((r, p) => new ArchiveFeed(new PartitionId(log, p), r, decoders, log != source.Topic, layout.IsUnknownSchema))];
            },
            [.. readers.Select(r => r.EndOffset)])
        {
            Inventory = [.. readers.SelectMany(r => r.Files).Select(f => $"{log} {f.FirstOffset}-{f.LastOffset} {new FileInfo(f.Path).Length}")],
        };
    }

    private LogInput FromHistory(SourceDefinition source, HistoryFile file)
    {
        var info = new FileInfo(file.Path);
        if (!info.Exists)
            throw new BackfillException($"--history {file.Source}={file.Path}: there is no such file");
        var order = new HistoryOrder(file.Path, source);
        return new LogInput(
            source.Topic, source.Partitions, "history", info.Length / 32,
            schema => [new HistoryFeed(file.Path, source, schema, historyDelay, order, maxSortBytes)], null)
        {
            Inventory = [$"{source.Topic} {info.Name} {info.Length}"],
        };
    }

    private static LogInput Rekeyed(SourceDefinition source, string log, IReadOnlyList<string> keyFields, LogInput from, string origin) => new(
        log, source.Partitions, origin, from.EstimatedRows,
        schema => [new MergedFeed(source, from.Open(schema), schema, new KeyFields(schema, keyFields), source.Partitions)],
        null)
    {
        Inventory = from.Inventory,
    };
}
