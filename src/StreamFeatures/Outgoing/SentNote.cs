using System.Text.Json;
using StreamMl.Shared.Log;

namespace StreamMl.StreamFeatures.Outgoing;

/// <summary>Source offsets whose records one transaction sent: from where the store stood, up to where it was to go. <paramref name="To"/> is not in it.</summary>
internal readonly record struct SentRange(long From, long To)
{
    public bool Contains(long offset) => offset >= From && offset < To;
}

/// <summary>Where records of a transaction lie in one of its targets, and it may be others between them. <paramref name="End"/> is not in it.</summary>
internal readonly record struct SentSpan(PartitionId Target, long First, long End);

/// <summary>What a transaction says of itself: which source offsets it sent, and where its records are.</summary>
internal sealed record SentNote(SentRange Range, IReadOnlyList<SentSpan> Spans)
{
    /// <summary>As JSON, so that an operator can read it: <c>{"from":10,"to":20,"spans":[{"topic":"a.by.b","partition":0,"first":3,"end":9}]}</c>.</summary>
    public byte[] Encode() =>
        JsonSerializer.SerializeToUtf8Bytes(new Written(Range.From, Range.To, [.. Spans.Select(s => new WrittenSpan(s.Target.Topic, s.Target.Partition, s.First, s.End))]), JsonSerializerOptions.Web);

    /// <exception cref="JsonException">It is none.</exception>
    public static SentNote Decode(ReadOnlySpan<byte> bytes)
    {
        var written = JsonSerializer.Deserialize<Written>(bytes, JsonSerializerOptions.Web) ?? throw new JsonException("a note of what was sent is null");
        return new SentNote(new SentRange(written.From, written.To), [.. written.Spans.Select(s => new SentSpan(new PartitionId(s.Topic, s.Partition), s.First, s.End))]);
    }

    private sealed record Written(long From, long To, IReadOnlyList<WrittenSpan> Spans);

    private sealed record WrittenSpan(string Topic, int Partition, long First, long End);
}

/// <summary>The last notes of one log partition. Pure.</summary>
/// <param name="Committed">Those of transactions that readers see, oldest first.</param>
/// <param name="Written">Those and the ones of transactions that they do not see.</param>
internal sealed record NoteTail(IReadOnlyList<SentNote> Committed, IReadOnlyList<SentNote> Written)
{
    /// <summary>Up to where all that the source offsets from this one on send is seen; the offset itself where nothing is known.</summary>
    public long SentTo(long offset)
    {
        while (Committed.FirstOrDefault(n => n.Range.Contains(offset)) is { } note)
            offset = note.Range.To;
        return offset;
    }

    /// <summary>
    /// Notes of transactions that readers do not see, nor others in their place. The store may have passed them: a broker that was away while a commit was being carried out may
    /// take the partitions for deleted and leave their markers out, and then the transaction counts as complete and its records hang. A note is the last record of its transaction, so
    /// what one tells of is there to the last record.
    /// </summary>
    public IReadOnlyList<SentNote> Lost => [.. Written.Where(n => SentTo(n.Range.From) < n.Range.To)];

    /// <summary>Whether no reader sees what this source offset sent, as far as notes tell.</summary>
    public bool IsLost(long offset) => !Committed.Any(n => n.Range.Contains(offset));
}
