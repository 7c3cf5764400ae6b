using StreamMl.Ingestors.Records;
using StreamMl.Shared.Definitions;
using StreamMl.Shared.Log;

namespace StreamMl.Ingestors.Replay;

/// <summary>One source of a replay: its records, where an earlier run ended, and what became of them. One thread.</summary>
internal sealed class ReplaySource
{
    private readonly FileRecords files;
    private readonly long[] lastThere;
    private readonly long lastDeadLetterThere;
    private long number = -1;
    private long produced;
    private long deadLettered;
    private long outsideTime;
    private long alreadyThere;

    public ReplaySource(SourceDefinition source, FileRecords files, IRecordStream records, ulong id, long[] lastThere, long lastDeadLetterThere)
    {
        Definition = source;
        this.files = files;
        Records = records;
        Id = id;
        this.lastThere = lastThere;
        this.lastDeadLetterThere = lastDeadLetterThere;
        Partitions = [.. Enumerable.Range(0, source.Partitions).Select(p => new PartitionId(source.Topic, p))];
        DeadLetters = new PartitionId(LogNames.DeadLetterTopic(source.Topic), 0);
    }

    public SourceDefinition Definition { get; }

    public IRecordStream Records { get; }

    public ulong Id { get; }

    public PartitionId[] Partitions { get; }

    /// <summary>Bad rows have no key: one partition keeps their order.</summary>
    public PartitionId DeadLetters { get; }

    public long Number => number;

    public IReadOnlyList<string> Unset => files.Unset;

    public SourceProgress Progress => new(Definition.Name, files.Counts.Read, produced, deadLettered, files.Counts.NotWanted, outsideTime, alreadyThere);

    /// <summary>Counts the next record and says where it goes; null: nowhere, an earlier run has sent it or it is before the time.</summary>
    /// <param name="key">Null where it has none: then the empty key places it, so that a second run places it alike.</param>
    /// <param name="isBad">It is a dead letter.</param>
    /// <param name="isOutside">It arrived before the replay's time.</param>
    public PartitionId? Next(ReadOnlySpan<byte> key, bool isBad, bool isOutside)
    {
        number++;
        var partition = isBad ? 0 : KeyPartitioner.PartitionOf(key, Partitions.Length);
        if (isOutside)
            outsideTime++;
        else if (number <= (isBad ? lastDeadLetterThere : lastThere[partition]))
            alreadyThere++;
        else
        {
            _ = isBad ? deadLettered++ : produced++;
            return isBad ? DeadLetters : Partitions[partition];
        }

        return null;
    }
}
