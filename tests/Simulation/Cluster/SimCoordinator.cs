using StreamMl.Shared.Log;
using StreamMl.StreamFeatures.Outgoing;

namespace StreamMl.Simulation.Tests.Cluster;

/// <summary>A transaction: its records are in their logs, and seen once it is committed.</summary>
internal sealed class SimTransaction
{
    public HashSet<PartitionId> Targets { get; } = [];

    /// <summary>Null while it is open.</summary>
    public bool? IsCommitted { get; set; }

    /// <summary>A record of it could not be delivered: it can only be aborted.</summary>
    public bool IsDoomed { get; set; }

    /// <summary>Nobody will end it but time.</summary>
    public bool IsAbandoned { get; set; }
}

/// <summary>The broker's side of transactions: one holder per id, fenced by the next; the notes of what was sent are seen from the commit on.</summary>
internal sealed class SimCoordinator(World world)
{
    private const int MaxNotes = 8;

    private readonly Dictionary<PartitionId, Entry> entries = [];

    public (long Epoch, IReadOnlyList<SentNote> Notes) Take(PartitionId id)
    {
        if (!entries.TryGetValue(id, out var entry))
            entries.Add(id, entry = new Entry());
        if (world.Plant != Plant.ZombieTransactions)
        {
            if (entry.Open is { } open)
                Decide(open, commit: false);
            (entry.Open, entry.Epoch) = (null, entry.Epoch + 1);
        }

        return (entry.Epoch, [.. entry.Notes]);
    }

    /// <summary>The first record of a transaction tells of it; false where the sender was fenced, or the transaction has ended.</summary>
    public bool Joins(PartitionId id, long epoch, SimTransaction transaction, PartitionId target)
    {
        var entry = entries[id];
        if (entry.Epoch != epoch || transaction.IsCommitted is not null)
            return false;
        if (world.Plant != Plant.ZombieTransactions)
            entry.Open = transaction;
        else
            entry.Planted.Add(transaction);
        transaction.Targets.Add(target);
        return true;
    }

    public bool Commit(PartitionId id, long epoch, SimTransaction transaction, SentNote note)
    {
        var entry = entries[id];
        if (entry.Epoch != epoch || transaction.IsCommitted is not null || transaction.IsDoomed)
            return false;
        entry.Open = null;
        entry.Notes.Enqueue(note);
        if (entry.Notes.Count > MaxNotes)
            entry.Notes.Dequeue();
        Decide(transaction, commit: true);
        return true;
    }

    /// <summary>Ends what has been open for too long: anything that nobody will end, and now and then another.</summary>
    public void PassTime()
    {
        foreach (var (id, entry) in entries)
        {
            foreach (var open in entry.Planted.Append(entry.Open).OfType<SimTransaction>().Where(t => t.IsCommitted is null).ToList())
            {
                if (!(open.IsAbandoned && world.Random.Next(8) == 0) && !world.Faults.Strikes(Fault.TransactionTimeout, 20))
                    continue;
                world.Trace.Add("transaction timed out", id);
                Decide(open, commit: false);
            }
        }
    }

    private void Decide(SimTransaction transaction, bool commit)
    {
        if (transaction.IsCommitted is not null)
            return;
        transaction.IsCommitted = commit;
        world.Log.Decided(transaction);
    }

    private sealed class Entry
    {
        public long Epoch { get; set; }

        public SimTransaction? Open { get; set; }

        /// <summary>Of the last transactions, oldest first.</summary>
        public Queue<SentNote> Notes { get; } = [];

        /// <summary>Open ones where the planted bug lets there be several.</summary>
        public List<SimTransaction> Planted { get; } = [];
    }
}
