using StreamMl.Shared.Log;
using StreamMl.StreamFeatures.Outgoing;

namespace StreamMl.StreamFeatures.Tests.Outgoing;

public sealed class NoteTailTests
{
    [Theory]
    [InlineData(10, 30)] // from one note into the next
    [InlineData(25, 30)]
    [InlineData(30, 30)] // nothing known
    [InlineData(5, 5)] // before all
    [InlineData(45, 50)] // behind a gap: offsets that sent nothing have no note
    public void SentTo_OffsetInNotes_IsTheEndOfWhatFollowsWithoutGap(long offset, long expected) =>
        new NoteTail([Note(10, 20), Note(20, 30), Note(40, 50)], []).SentTo(offset).ShouldBe(expected);

    [Fact]
    public void Lost_NoteThatReadersDoNotSee_IsThatOne()
    {
        var (seen, hanging) = (Note(10, 20), Note(20, 30));
        var tail = new NoteTail([seen], [seen, hanging]);
        tail.Lost.ShouldBe([hanging]);
        (tail with { Committed = [seen, hanging] }).Lost.ShouldBeEmpty();
    }

    [Fact]
    public void Lost_AbortedAndSentAgainInOtherParts_IsNot()
    {
        IReadOnlyList<SentNote> committed = [Note(10, 15), Note(15, 40)];
        new NoteTail(committed, [Note(10, 20), Note(20, 30), .. committed]).Lost.ShouldBeEmpty();
    }

    [Fact]
    public void IsLost_OffsetsOfALostNote_AreThoseThatNobodySees()
    {
        var tail = new NoteTail([Note(10, 15)], [Note(10, 15), Note(12, 20)]);
        Enumerable.Range(10, 10).Where(o => tail.IsLost(o)).ShouldBe([15, 16, 17, 18, 19]);
    }

    [Fact]
    public void Decode_WhatWasEncoded_IsTheSame()
    {
        var note = new SentNote(new SentRange(5, 1L << 40), [new SentSpan(new PartitionId("a.by.b", 3), 7, 9), new SentSpan(new PartitionId("a.dead-letter", 0), 0, 1)]);
        var read = SentNote.Decode(note.Encode());
        read.Range.ShouldBe(note.Range);
        read.Spans.ShouldBe(note.Spans);
    }

    private static SentNote Note(long from, long to) => new(new SentRange(from, to), []);
}
