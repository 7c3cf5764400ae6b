using Confluent.Kafka;
using Microsoft.Extensions.Time.Testing;
using StreamMl.Infrastructure.Kafka;

namespace StreamMl.Infrastructure.Tests.Kafka;

public sealed class PartitionEndsTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);
    private readonly FakeTimeProvider time = new();
    private int asked;

    [Theory]
    [InlineData(ErrorCode.NotLeaderForPartition)]
    [InlineData(ErrorCode.LeaderNotAvailable)]
    public void Ask_TopicJustMadeWithoutALeaderYet_AsksAgain(ErrorCode code)
    {
        var ends = PartitionEnds.Ask(
            _ => ++asked < 3 ? throw new KafkaException(code) : new WatermarkOffsets(2, 5), Patience, time, TestContext.Current.CancellationToken);

        (ends.Low.Value, ends.High.Value).ShouldBe((2, 5));
        asked.ShouldBe(3);
    }

    [Fact]
    public void Ask_NoLeaderInTime_SaysTheBrokersReason()
    {
        var error = Should.Throw<KafkaException>(() => PartitionEnds.Ask(Late, Patience, time, TestContext.Current.CancellationToken));

        error.Error.Code.ShouldBe(ErrorCode.NotLeaderForPartition);
        asked.ShouldBe(2);

        WatermarkOffsets Late(TimeSpan left)
        {
            left.ShouldBe(asked++ == 0 ? Patience : TimeSpan.FromSeconds(4));
            time.Advance(TimeSpan.FromSeconds(6));
            throw new KafkaException(ErrorCode.NotLeaderForPartition);
        }
    }

    [Fact]
    public void Ask_NoSuchTopic_IsNotAskedAgain()
    {
        Should.Throw<KafkaException>(() => PartitionEnds.Ask(None, Patience, time, TestContext.Current.CancellationToken));
        asked.ShouldBe(1);

        WatermarkOffsets None(TimeSpan left)
        {
            asked++;
            throw new KafkaException(ErrorCode.UnknownTopicOrPart);
        }
    }
}
