using StreamMl.Shared.Events;

namespace StreamMl.BatchBackfill.Spines;

/// <summary>The rows of a training set, before their features: an Arrow file whose columns are all carried through, and which columns mean what.</summary>
/// <param name="Path">The Arrow file.</param>
/// <param name="Schema">Its columns.</param>
/// <param name="Rows">How many rows it has.</param>
/// <param name="TimeColumn">The time of each row's read.</param>
/// <param name="KeyColumns">By key of the service.</param>
/// <param name="Trigger">Where rows are trigger events: the columns of their positions.</param>
/// <param name="LeftOut">Rows that are not in it, by reason.</param>
internal sealed record SpineTable(
    string Path, EventSchema Schema, long Rows, int TimeColumn, IReadOnlyList<int> KeyColumns, TriggerColumns? Trigger, IReadOnlyDictionary<string, long> LeftOut)
{
    /// <summary>Rows of a batch when reading.</summary>
    public const int BatchRows = 65_536;
}

/// <summary>Columns with the trigger's partition, offset and arrival clock.</summary>
internal sealed record TriggerColumns(string Topic, int Partition, int Offset, int Arrival)
{
    public const string PartitionName = "trigger_partition";
    public const string OffsetName = "trigger_offset";
    public const string ArrivalName = "trigger_arrival_time";

    /// <summary>The first so many columns of a trigger's spine.</summary>
    public const int Count = 3;
}
