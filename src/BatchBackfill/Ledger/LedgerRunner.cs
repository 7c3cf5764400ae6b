using StreamMl.BatchBackfill.Logs;
using StreamMl.FeatureEngine.Log;
using StreamMl.FeatureEngine.Views;
using StreamMl.Infrastructure.Archive;
using StreamMl.Shared.Definitions;
using StreamMl.Shared.Events;
using StreamMl.Shared.Log;
using StreamMl.Shared.Store;

namespace StreamMl.BatchBackfill.Ledger;

/// <summary>A log partition's ledger as it was kept with the commits.</summary>
/// <param name="NextOffset">Counted are the records before this offset.</param>
public sealed record KeptLedger(PartitionId Partition, long NextOffset, LedgerCounts Counts);

/// <summary>A log partition's ledger as it was kept, and as the archive gives it.</summary>
/// <param name="Partition">Which.</param>
/// <param name="NextOffset">Counted are the records before this offset.</param>
/// <param name="Kept">Kept with the commits.</param>
/// <param name="Recounted">From the archive through the engine.</param>
public sealed record LedgerLine(PartitionId Partition, long NextOffset, LedgerCounts Kept, LedgerCounts Recounted)
{
    public bool Agrees => Kept == Recounted && Kept.Balances;

    public override string ToString() => $"{Partition} [0, {NextOffset}): {Kept}{(Agrees ? "" : Kept == Recounted ? " DOES NOT BALANCE" : $" DIFFERS: the archive gives {Recounted}")}";
}

/// <summary>Counts again, from the archive and through the engine, what became of every record of every log. Thread-safe.</summary>
public static class LedgerRunner
{
    /// <summary>Bytes of states that the recount of one partition may take; several partitions are counted at a time. 8 GiB.</summary>
    public const long MaxStateBytes = 8L << 30;

    /// <summary>The ledgers of all logs of the catalogue, each up to the given offset, or to the archive's end where none is given.</summary>
    /// <exception cref="BackfillException">A log is not archived, or a partition's states take more than <see cref="MaxStateBytes"/>.</exception>
    public static IReadOnlyDictionary<PartitionId, LedgerCounts> Recount(Catalog catalog, string archive, IReadOnlyDictionary<PartitionId, long>? nextOffsets = null, CancellationToken cancellationToken = default)
    {
        var inputs = new LogInputs(new ArchiveLayout(archive), [], TimeSpan.Zero, 0);
        var ledgers = new System.Collections.Concurrent.ConcurrentDictionary<PartitionId, LedgerCounts>();
        foreach (var source in catalog.Sources)
        {
            var byLog = catalog.ViewsOf(source).Select(v => ViewProgram.Compile(v, source)).ToLookup(p => p.Log, StringComparer.Ordinal);
            foreach (var log in LogNames.LogsOf(catalog, source))
            {
                var routes = log == source.Topic ? byLog.Where(l => l.Key != log).Select(l => l.First().View.KeyFields).ToList() : [];
                var recount = new LogRecount(source, [.. byLog[log]], routes);
                var input = inputs.Of(source, log, byLog.Contains(log) ? byLog[log].First().View.KeyFields : source.KeyFields);
                if (input.EndOffsets is null)
                    throw new BackfillException($"log '{log}' is not archived: its ledger cannot be counted again. Run the archiver over it");
                var feeds = input.Open(recount.Schema);
                Parallel.For(0, feeds.Count, new ParallelOptions { CancellationToken = cancellationToken }, i =>
                {
                    var id = new PartitionId(log, feeds[i].Partitions[0]);
                    var end = nextOffsets?.GetValueOrDefault(id, 0) ?? long.MaxValue;
                    if (end != long.MaxValue && end > input.EndOffsets[id.Partition])
                        throw new BackfillException($"the archive of {id} ends before offset {input.EndOffsets[id.Partition]}, the ledger was kept up to {end}: let the archiver catch up");
                    ledgers[id] = recount.Run(feeds[i], end);
                });
            }
        }

        return ledgers;
    }

    /// <summary>Every log's ledger as the store keeps it, with the position that it was kept at.</summary>
    public static async Task<IReadOnlyList<KeptLedger>> KeptAsync(Catalog catalog, IStateStore store, CancellationToken cancellationToken)
    {
        var partitions = LogNames.PartitionsOf(catalog, catalog.Sources);
        var keys = new PackedBytes();
        foreach (var partition in partitions)
        {
            keys.Add(System.Text.Encoding.UTF8.GetBytes(LogNames.LedgerKey(partition)));
            keys.Add(System.Text.Encoding.UTF8.GetBytes(LogNames.SourcePositionKey(partition)));
        }

        using var values = await store.ReadAsync(keys, cancellationToken);
        return [.. partitions.Select((p, i) => new KeptLedger(p, values[(2 * i) + 1] is { IsEmpty: false } at ? PositionRecord.Decode(at).NextOffset : 0, LedgerRecord.Decode(values[2 * i])))];
    }

    /// <summary>Compares kept ledgers with the archive, each at the position that it was kept at.</summary>
    public static IReadOnlyList<LedgerLine> Compare(Catalog catalog, string archive, IReadOnlyList<KeptLedger> kept, CancellationToken cancellationToken)
    {
        var recounted = Recount(catalog, archive, kept.ToDictionary(k => k.Partition, k => k.NextOffset), cancellationToken);
        return [.. kept.Select(k => new LedgerLine(k.Partition, k.NextOffset, k.Counts, recounted.GetValueOrDefault(k.Partition)))];
    }
}

/// <summary>Counts the partitions of one log. Thread-safe for different feeds.</summary>
internal sealed class LogRecount(SourceDefinition source, IReadOnlyList<ViewProgram> views, IReadOnlyList<IReadOnlyList<string>> routes)
{
    public EventSchema Schema { get; } = source.Schema.Project(views.SelectMany(v => v.RequiredFields).Concat(routes.SelectMany(r => r)).ToHashSet(StringComparer.Ordinal));

    public LedgerCounts Run(LogFeed feed, long endOffset)
    {
        var gate = new LogGate(source, PositionRecord.Start);
        var batch = new FeedBatch(Schema);
        var inputs = views.Select(v => new ViewInput(v, Schema)).ToArray();
        var states = views.Select(v => new ViewStates(v)).ToArray();
        var total = default(LedgerCounts);
        try
        {
            foreach (var chunk in feed.Chunks())
            {
                feed.Prepare(chunk, batch);
                var (counts, isEnd) = Count(batch, gate, inputs, states, endOffset);
                total += counts;
                var bytes = states.Sum(s => s.MemoryBytes);
                if (bytes > LedgerRunner.MaxStateBytes)
                    throw new BackfillException($"{feed.Partitions[0]} of '{source.Name}': the states of its views take {bytes >> 20} MiB, a recount may take {LedgerRunner.MaxStateBytes >> 20} MiB a partition: give the topic more partitions, or recount with a catalogue that has fewer of its views");
                if (isEnd)
                    break;
            }
        }
        finally
        {
            foreach (var state in states)
                state.Dispose();
        }

        return total;
    }

    private (LedgerCounts Counts, bool IsEnd) Count(FeedBatch batch, LogGate gate, ViewInput[] inputs, ViewStates[] states, long endOffset)
    {
        var events = batch.Events;
        var keys = routes.Select(r => new KeyFields(Schema, r)).ToArray();
        var arena = new Utf8Arena();
        foreach (var input in inputs)
            input.Bind(events);
        long read = 0, duplicates = 0, dead = 0;
        Span<long> tally = [0, 0, 0];
        var ids = new int[batch.Count];
        var outcomes = new RowOutcome[batch.Count];
        for (var row = 0; row < batch.Count; row++)
        {
            if (events.Offsets[row] >= endOffset)
                return (Sum(read, tally, duplicates, dead), true);
            read++;
            var disposition = Disposition.DeadLetter;
            if (batch.Decoded[row] == 0)
                gate.AdmitUndecodable(events.Offsets[row], events.ArrivalTimesUs[row]);
            else
                disposition = gate.Admit(events.Offsets[row], events.ArrivalTimesUs[row], events.EventTimesUs[row], batch.SourcePartitions[row], batch.SourceOffsets[row], out _);
            duplicates += disposition == Disposition.Duplicate ? 1 : 0;
            dead += disposition == Disposition.DeadLetter ? 1 : 0;
            if (disposition != Disposition.Accepted)
                continue;
            events.WatermarksUs[row] = gate.WatermarkBeforeUs;
            var best = RowOutcome.Filtered;
            foreach (var key in keys)
            {
                arena.Clear();
                best = key.Append(arena, events, row) >= 0 ? RowOutcome.Applied : best;
            }

            for (var v = 0; v < inputs.Length; v++)
            {
                if (inputs[v].IsFiltered(row))
                    continue;
                ids[row] = states[v].Intern(inputs[v].Key(row));
                states[v].Apply(inputs[v], row, row + 1, ids, outcomes);
                best = outcomes[row] < best ? outcomes[row] : best;
            }

            tally[(int)best]++;
        }

        return (Sum(read, tally, duplicates, dead), false);
    }

    private static LedgerCounts Sum(long read, Span<long> tally, long duplicates, long dead) =>
        new(read, tally[(int)RowOutcome.Applied], tally[(int)RowOutcome.Late], duplicates, tally[(int)RowOutcome.Filtered], dead);
}
