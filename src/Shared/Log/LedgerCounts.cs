namespace StreamMl.Shared.Log;

/// <summary>What became of the records of one log partition. <c>Read = Applied + Late + Duplicate + Filtered + DeadLettered</c>, always.</summary>
/// <param name="Read">Records of the log, whatever became of them.</param>
/// <param name="Applied">Entered the state of at least one view, or a repartition topic.</param>
/// <param name="Late">Too late for every window of every view that wanted it.</param>
/// <param name="Duplicate">A repartitioned record that had already been seen (same source partition and offset).</param>
/// <param name="Filtered">No view wanted it: a row filter or a null key.</param>
/// <param name="DeadLettered">Undecodable, or further in the future than the source allows.</param>
public readonly record struct LedgerCounts(long Read, long Applied, long Late, long Duplicate, long Filtered, long DeadLettered)
{
    public bool Balances => Read == Applied + Late + Duplicate + Filtered + DeadLettered;

    public override string ToString() => $"{Read} read = {Applied} applied + {Late} late + {Duplicate} duplicate + {Filtered} filtered + {DeadLettered} dead-lettered";

    public static LedgerCounts operator +(LedgerCounts a, LedgerCounts b) => new(
        a.Read + b.Read, a.Applied + b.Applied, a.Late + b.Late, a.Duplicate + b.Duplicate, a.Filtered + b.Filtered, a.DeadLettered + b.DeadLettered);

    public static LedgerCounts Add(LedgerCounts left, LedgerCounts right) => left + right;
}
