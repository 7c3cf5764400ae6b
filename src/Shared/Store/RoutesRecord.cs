using System.Text.Json;

namespace StreamMl.Shared.Store;

/// <summary>
/// How far a source partition's records have been copied into repartition topics: by topic, the end offset (one past the last delivered)
/// per target partition. Kept in the store under <c>{topic/p}!routes</c> with the commit of the source unit that delivered them. A view over such a topic has
/// caught up with the source partition's position when its own position is at or past these ends.
/// </summary>
public static class RoutesRecord
{
    public static byte[] Encode(IReadOnlyDictionary<string, long[]> ends)
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream))
        {
            json.WriteStartObject();
            foreach (var (topic, offsets) in ends.OrderBy(e => e.Key, StringComparer.Ordinal))
            {
                json.WriteStartArray(topic);
                foreach (var offset in offsets)
                    json.WriteNumberValue(offset);
                json.WriteEndArray();
            }

            json.WriteEndObject();
        }

        return stream.ToArray();
    }

    /// <summary>The ends by topic; empty for an absent record.</summary>
    public static Dictionary<string, long[]> Decode(ReadOnlySpan<byte> record)
    {
        var ends = new Dictionary<string, long[]>(StringComparer.Ordinal);
        if (record.IsEmpty)
            return ends;
        using var json = JsonDocument.Parse(record.ToArray());
        foreach (var topic in json.RootElement.EnumerateObject())
            ends[topic.Name] = [.. topic.Value.EnumerateArray().Select(o => o.GetInt64())];
        return ends;
    }
}
