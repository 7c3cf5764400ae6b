using StreamMl.Shared.Log;

namespace StreamMl.Infrastructure.Kafka.Native;

/// <summary>A librdkafka partition list for the length of one call.</summary>
internal readonly unsafe ref struct NativePartitions
{
    /// <summary>RD_KAFKA_OFFSET_INVALID: no offset is meant.</summary>
    private const long NoOffset = -1001;

    private NativePartitions(NativePartitionList* list) => List = list;

    public NativePartitionList* List { get; }

    public static NativePartitions Of(IEnumerable<PartitionStart> starts)
    {
        var list = LibRdKafka.PartitionListNew(8);
        foreach (var start in starts) LibRdKafka.PartitionListAdd(list, start.Partition.Topic, start.Partition.Partition)->Offset = start.Offset;
        return new NativePartitions(list);
    }

    public static NativePartitions Of(IEnumerable<PartitionId> partitions) => Of(partitions.Select(p => new PartitionStart(p, NoOffset)));

    public static NativePartitions OfTopics(IEnumerable<string> topics) => Of(topics.Select(t => new PartitionId(t, -1)));

    public static List<PartitionId> Read(NativePartitionList* list)
    {
        var partitions = new List<PartitionId>(list->Count);
        for (int i = 0; i < list->Count; i++) partitions.Add(new(LibRdKafka.Text(list->Elements[i].Topic), list->Elements[i].Partition));
        return partitions;
    }

    public void Dispose() => LibRdKafka.PartitionListDestroy(List);
}
