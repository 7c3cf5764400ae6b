using StreamMl.FeatureEngine.Tests;
using StreamMl.FeatureEngine.Views;
using StreamMl.Shared.Features;
using StreamMl.Shared.Log;
using StreamMl.Shared.Store;
using StreamMl.Simulation.Tests.Cluster;
using StreamMl.StreamFeatures.Logs;
using StreamMl.StreamFeatures.Tests.Lab;

namespace StreamMl.Simulation.Tests.Truth;

/// <summary>
/// Looks at the store after every change of it: what it holds must be the naive recompute of the prefix that its positions name. What a commit neither
/// wrote nor passed was right before and has not changed, so only the rest is recomputed.
/// </summary>
internal sealed class Audit
{
    private readonly World world;
    private readonly Dictionary<PartitionId, LogAudit> audits = [];
    private readonly HashSet<(PartitionId Target, int Partition, long Offset)> delivered = [];
    private string? sentAgain;
    private readonly Dictionary<byte[], Landing?> landings = new(ByteEquality.Instance);

    public Audit(World world)
    {
        this.world = world;
        foreach (var partition in world.Catalog.PartitionsOf(world.Partitions))
            audits.Add(partition, new LogAudit(world.FirstCatalog.PlanOf(partition), world.Catalog.PlanOf(partition), partition, landings));
    }

    public long Checks { get; private set; }

    /// <summary>Says what a value means, before a record has it; null: nothing.</summary>
    public void Knows(byte[] value, Landing? landing) => landings[value] = landing;

    public void Appended(PartitionId partition, SimRecord record)
    {
        if (audits.TryGetValue(partition, out var audit))
            audit.Log.Append(record);
    }

    /// <summary>The record will be seen, now or when those before it are.</summary>
    public void Delivered(PartitionId partition, SimRecord record)
    {
        var (from, offset) = SourceOf(record);
        if (from >= 0 && !delivered.Add((partition, from, offset)))
            sentAgain ??= $"{partition} has the record of source partition {from}, offset {offset}, twice";
    }

    /// <summary>What a worker with so many positions of the partition counts between two offsets.</summary>
    public LedgerCounts Counts(PartitionId partition, int positions, long from, long to)
    {
        var audit = audits[partition];
        var (a, b) = (audit.Log.LedgerAt(to, audit.IsOfLast(positions)), audit.Log.LedgerAt(from, audit.IsOfLast(positions)));
        return new LedgerCounts(a.Read - b.Read, a.Applied - b.Applied, a.Late - b.Late, a.Duplicate - b.Duplicate, a.Filtered - b.Filtered, a.DeadLettered - b.DeadLettered);
    }

    /// <summary>A commit, or a claim, of a worker with so many positions of the partition is in the store.</summary>
    public void Committed(PartitionId partition, int positions, IReadOnlyList<string> written)
    {
        var audit = audits[partition];
        for (var i = 0; i < audit.Seen.Length; i++)
        {
            if (PositionOf(audit.PositionKeys[i]).NextOffset is var next && next < audit.Seen[i])
                throw new SimulationException($"{partition}: a commit took {audit.PositionKeys[i]} back from {audit.Seen[i]} to {next}");
        }

        audit.Ledger += Counts(partition, positions, audit.Seen[0], PositionOf(audit.PositionKeys[0]).NextOffset);
        CheckLedgerAndDeliveries(audit);
        for (var v = 0; v < audit.Plan.Views.Count; v++)
        {
            var position = PositionOf(audit.PositionKeys[v + 1]);
            var prefix = audit.StatePrefixes[v];
            var entities = written.Where(k => k.StartsWith(prefix, StringComparison.Ordinal)).Select(k => k[prefix.Length..])
                .Union(audit.Log.Touched(v, Math.Min(audit.Seen[v + 1], position.NextOffset), Math.Max(audit.Seen[v + 1], position.NextOffset)));
            foreach (var entity in entities)
                CheckState(audit, v, entity, position);
            audit.Seen[v + 1] = position.NextOffset;
        }
    }

    /// <summary>The store is what it was at some moment; then it was right.</summary>
    public void WentBack(PartitionId? only)
    {
        foreach (var audit in audits.Values.Where(a => only is null || a.Partition == only))
        {
            for (var i = 0; i < audit.Seen.Length; i++)
                audit.Seen[i] = PositionOf(audit.PositionKeys[i]).NextOffset;
            audit.Ledger = LedgerRecord.Decode(world.Store.Get(audit.LedgerKey));
        }
    }

    /// <summary>What a reader of this partition sees at this moment, all of it.</summary>
    public void CheckAll(PartitionId partition)
    {
        var audit = audits[partition];
        CheckLedgerAndDeliveries(audit);
        for (var v = 0; v < audit.Plan.Views.Count; v++)
        {
            var position = PositionOf(audit.PositionKeys[v + 1]);
            foreach (var entity in audit.Log.Entities(v))
                CheckState(audit, v, entity, position);
        }
    }

    /// <summary>All positions together: it changes when one does.</summary>
    public long Reached => audits.Values.Sum(a => a.Seen.Sum());

    /// <summary>Whether every position is at the end of its log, or its loss was told.</summary>
    public bool IsAtEnd => audits.Values.All(a => a.Log.Rows.Count == 0 || world.IsLost(a.Partition) || a.Seen.All(s => s > a.Log.Rows[^1].Offset));

    public string Describe() =>
        string.Join("\n", audits.Values.Select(a => $"{a.Partition}: positions {string.Join(", ", a.Seen)} of {(a.Log.Rows.Count == 0 ? 0 : a.Log.Rows[^1].Offset + 1)}, which begins at {world.Log.Start(a.Partition)}"));

    /// <summary>At rest: every good record of a source has reached its repartition topic once, duplicates aside.</summary>
    public void CheckExactlyOnce()
    {
        // A store that went back has its worker do again what later transactions had done.
        if (sentAgain is not null && world.HasTransactions && world.Faults.Counts[(int)Fault.Rollback] + world.Faults.Counts[(int)Fault.RollbackOfOnePartition] == 0)
            throw new SimulationException(sentAgain);
        var taken = audits.Values.Where(a => a.Plan.IsRepartitioned).SelectMany(a => a.Log.Rows.Where(r => !r.IsDuplicate).Select(r => r.Origin)).ToList();
        if (taken.Distinct().Count() != taken.Count)
            throw new SimulationException("a repartitioned record was taken twice");
        var wanted = audits.Values.Where(a => !a.Plan.IsRepartitioned && !world.IsLost(a.Partition)).SelectMany(a => a.Log.Rows.Where(r => r.IsRouted).Select(r => (a.Partition.Partition, r.Offset))).ToHashSet();
        wanted.ExceptWith(taken);
        if (wanted.Count > 0)
            throw new SimulationException($"repartitioned records were lost, by source partition and offset: {string.Join(", ", wanted.Order())}");
    }

    private void CheckLedgerAndDeliveries(LogAudit audit)
    {
        var position = PositionOf(audit.PositionKeys[0]);
        var log = audit.Log;
        Checks++;
        if (position.NextOffset > world.Log.End(audit.Partition))
            throw new SimulationException($"{audit.Partition}: the stored offset {position.NextOffset} is past the log's end {world.Log.End(audit.Partition)}");
        if (position.WatermarkUs != log.WatermarkAt(position.NextOffset))
            throw new SimulationException($"{audit.Partition}: watermark {position.WatermarkUs} at {position.NextOffset}, the log says {log.WatermarkAt(position.NextOffset)}");
        var ledger = LedgerRecord.Decode(world.Store.Get(audit.LedgerKey));
        var expected = audit.ExpectedLedger(position.NextOffset);
        if (ledger != expected || !ledger.Balances)
            throw new SimulationException($"{audit.Partition}: the ledger at {position.NextOffset} is {ledger}, the log says {expected}");
        for (var i = audit.DeliveriesChecked; i < log.Rows.Count && log.Rows[i].Offset < position.NextOffset; i++)
            CheckDelivered(audit, log.Rows[audit.DeliveriesChecked = i]);
        audit.Seen[0] = position.NextOffset;
    }

    private void CheckDelivered(LogAudit audit, NaiveRow row)
    {
        var source = (audit.Partition.Partition, row.Offset);
        if (row.IsDead && !delivered.Contains((new PartitionId(LogNames.DeadLetterTopic(audit.Partition.Topic), audit.Partition.Partition), source.Partition, source.Offset)))
            throw new SimulationException($"{audit.Partition}: the commit passed {row.Offset} before its dead letter was delivered");
        if (row.IsRouted && !Enumerable.Range(0, world.Partitions).Any(p => audit.Plan.Routes.All(r => delivered.Contains((new PartitionId(r.Topic, p), source.Partition, source.Offset)))))
            throw new SimulationException($"{audit.Partition}: the commit passed {row.Offset} before its repartitioned record was delivered");
    }

    private void CheckState(LogAudit audit, int view, string entity, PositionRecord position)
    {
        Checks++;
        var program = audit.Plan.Views[view];
        var events = audit.Log.Events(view, entity, position.NextOffset);
        var asOfUs = events.Count == 0 ? audit.Log.WatermarkAt(position.NextOffset) : events.Max(e => e.EventTimeUs);
        var state = world.Store.Get(audit.StatePrefixes[view] + entity);
        var row = audit.Row(view);
        var info = StateReader.Read(program, state, asOfUs, position.WatermarkUs, row, 0);
        var expected = audit.Expected(view, entity, events, asOfUs, audit.Log.WatermarkAt(position.NextOffset));
        for (var i = 0; i < expected.Count; i++)
        {
            var actual = row.Get(i, program.Outputs[i].Type);
            if (!Equals(actual, expected[i]))
            {
                throw new SimulationException(
                    $"{audit.Partition}: {program.View.Name}.{program.Outputs[i].Name} of '{entity}' at {position.NextOffset} is {actual ?? "null"}, the log says {expected[i] ?? "null"} "
                    + $"({events.Count} events, newest state at offset {info.LastOffset})");
            }
        }
    }

    private PositionRecord PositionOf(string key) => world.Store.Get(key) is { } bytes ? PositionRecord.Decode(bytes) : PositionRecord.Start;

    private static (int Partition, long Offset) SourceOf(SimRecord record)
    {
        if (record.Headers.Count == 0)
            return (-1, -1);
        if (record.Headers[0].Name == LogNames.SourcePositionHeader)
            return (System.Buffers.Binary.BinaryPrimitives.ReadInt32BigEndian(record.Headers[0].Value), System.Buffers.Binary.BinaryPrimitives.ReadInt64BigEndian(record.Headers[0].Value.AsSpan(4)));
        string Text(string name) => System.Text.Encoding.ASCII.GetString(record.Headers.Single(h => h.Name == name).Value);
        return (int.Parse(Text("source-partition")), long.Parse(Text("source-offset")));
    }

    private sealed class LogAudit
    {
        private readonly FeatureRow[] rows;
        private readonly Dictionary<(int View, string Entity, int Events, long WatermarkUs), List<object?>> expected = [];

        private readonly int positionsOfFirst;

        public LogAudit(LogPlan first, LogPlan plan, PartitionId partition, Dictionary<byte[], Landing?> landings)
        {
            (Plan, Partition, Log) = (plan, partition, new NaiveLog(first, plan, landings));
            positionsOfFirst = first.Views.Count + 1;
            PositionKeys = [.. plan.PositionKeys(partition)];
            StatePrefixes = [.. plan.Views.Select(v => LogNames.StatePrefix(partition, v.View.Name, v.Hash8))];
            LedgerKey = LogNames.LedgerKey(partition);
            Seen = new long[PositionKeys.Length];
            rows = [.. plan.Views.Select(v => new FeatureRow(v.Outputs.Count))];
        }

        public LogPlan Plan { get; }

        public PartitionId Partition { get; }

        public NaiveLog Log { get; }

        public string[] PositionKeys { get; }

        public string[] StatePrefixes { get; }

        public string LedgerKey { get; }

        /// <summary>By position key, the offset that the store was last seen at.</summary>
        public long[] Seen { get; }

        public int DeliveriesChecked { get; set; }

        /// <summary>What the store was last seen to have counted. Where views are added, what became of a record depends on whether it was counted before.</summary>
        public LedgerCounts Ledger { get; set; }

        /// <summary>Workers with so many positions have the last catalogue's views.</summary>
        public bool IsOfLast(int positions) => positions == PositionKeys.Length;

        /// <summary>Of the log alone where views stay what they are; else what was counted step by step, which agrees with the log in all that views do not decide.</summary>
        public LedgerCounts ExpectedLedger(long nextOffset)
        {
            var ofLog = Log.LedgerAt(nextOffset);
            return positionsOfFirst == PositionKeys.Length ? ofLog : Ledger with { Read = ofLog.Read, Duplicate = ofLog.Duplicate, DeadLettered = ofLog.DeadLettered };
        }

        /// <summary>The oracle's answer, kept: after a crash and after every look at the whole the same questions come again.</summary>
        public List<object?> Expected(int view, string entity, List<NaiveEvent> events, long asOfUs, long watermarkUs)
        {
            var key = (view, entity, events.Count, watermarkUs);
            if (!expected.TryGetValue(key, out var values))
                expected.Add(key, values = Log.Oracle(view).Read(events, asOfUs, watermarkUs));
            return values;
        }

        public FeatureRow Row(int view)
        {
            rows[view].Clear();
            return rows[view];
        }
    }
}

/// <summary>A promise was broken.</summary>
internal sealed class SimulationException(string message, Exception? inner = null) : Exception(message, inner);
