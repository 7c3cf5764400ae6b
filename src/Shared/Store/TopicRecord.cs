using System.Text.Json;

namespace StreamMl.Shared.Store;

/// <summary>
/// Which topic the positions of a log partition belong to, as JSON under <c>{topic/p}!topic</c>. Written when a partition is first claimed; compared at
/// each later claim, because offsets mean nothing in another topic of the same name, and entities live elsewhere under another partition count.
/// </summary>
/// <param name="Id">The id that Kafka gave the topic when it was made; empty where the broker gives none (the embedded one).</param>
/// <param name="Partitions">How many partitions it has.</param>
public sealed record TopicRecord(string Id, int Partitions)
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web);

    public byte[] Encode() => JsonSerializer.SerializeToUtf8Bytes(this, Json);

    /// <summary>Null for an absent record.</summary>
    public static TopicRecord? Decode(ReadOnlySpan<byte> record) => record.IsEmpty ? null : JsonSerializer.Deserialize<TopicRecord>(record, Json);

    /// <summary>Whether positions of this topic may be used on the other one.</summary>
    public bool IsSameAs(TopicRecord now) => Partitions == now.Partitions && (Id.Length == 0 || now.Id.Length == 0 || Id == now.Id);
}
