using StreamMl.Shared.Events;

namespace StreamMl.Shared.Tests.Events;

public sealed class EventBatchTests
{
    private static readonly EventSchema Schema = new("purchases", [new EventField("amount", FieldType.Int64, Nullable: false), new EventField("note", FieldType.Int64, Nullable: true)]);

    [Fact]
    public unsafe void EnsureCapacity_MoreRows_PointersLeadToTheLanesWithTheirValues()
    {
        var batch = new EventBatch(Schema, 2);
        batch.Columns[1].Set(1, 7L);
        batch.EnsureCapacity(1_000);
        ((long*)batch.LanePointers[1])[999] = 8;
        batch.Columns[1].Lanes[1].ShouldBe(7);
        batch.Columns[1].Lanes[999].ShouldBe(8);
    }

    [Fact]
    public void Grow_ColumnOfABatch_IsRefusedSinceThePointersWouldLeadNowhere()
    {
        var batch = new EventBatch(Schema, 2);
        batch.Columns[0].Grow(2);
        Should.Throw<InvalidOperationException>(() => batch.Columns[0].Grow(3)).Message.ShouldContain("EventBatch.EnsureCapacity");
    }
}
