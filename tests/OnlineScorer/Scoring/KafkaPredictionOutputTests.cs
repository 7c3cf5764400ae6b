using StreamMl.Infrastructure.Avro;
using StreamMl.Infrastructure.Embedded;
using StreamMl.Infrastructure.Kafka;
using StreamMl.Infrastructure.Predictions;
using StreamMl.OnlineScorer.Scoring;
using StreamMl.Shared.Log;
using StreamMl.Shared.Models;

namespace StreamMl.OnlineScorer.Tests.Scoring;

public sealed class KafkaPredictionOutputTests
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)] // as on a real Kafka: the embedded one is one too, as long as nobody falls behind
    public async Task ReadBack_FindsTheLastOfEachVariantAndEveryDeadLetter(bool isBudgeted)
    {
        var stop = TestContext.Current.CancellationToken;
        await using var kafka = EmbeddedKafka.Start();
        foreach (var topic in new[] { "predictions.x", "predictions.x.dead-letter" })
            kafka.CreateTopic(topic, 2);
        var endpoint = isBudgeted ? KafkaEndpoint.Of(kafka) : KafkaEndpoint.Of(kafka.BootstrapServers);
        await using var output = new KafkaPredictionOutput("predictions.x", new KafkaProducerFactory(endpoint).CreateSender(), new KafkaConsumerFactory(endpoint));
        output.ReadBack(1, 0).Predicted.ShouldBeEmpty();
        for (var offset = 0; offset < 3_000; offset++)
        {
            if (offset % 1_000 == 5)
                await output.SendDeadLetterAsync(new FailedEvent("late/champion", "schedules", 1, offset, null, [1, 2], 0, "planted"), stop);
            else
                await output.SendAsync(1, null, Head("champion", offset), 0, stop);
            if (offset < 20)
                await output.SendAsync(1, null, Head("challenger", offset), 0, stop);
        }

        await output.FlushAsync(stop);
        var all = output.ReadBack(1, 0);
        all.Predicted.ShouldBe(new Dictionary<string, long> { ["late/champion"] = 2_999, ["late/challenger"] = 19 }, ignoreOrder: true);
        all.DeadLettered.ShouldBe([("late/champion", 5L), ("late/champion", 1_005L), ("late/champion", 2_005L)], ignoreOrder: true);
        var tail = output.ReadBack(1, 2_990);
        tail.Predicted["late/champion"].ShouldBe(2_999);
        tail.Predicted.ContainsKey("late/challenger").ShouldBeFalse(); // that far back nobody needs to look
        output.ReadBack(0, 0).Predicted.ShouldBeEmpty();
    }

    private static byte[] Head(string variant, long offset)
    {
        var buffer = new AvroBuffer();
        buffer.Header(1);
        buffer.Text(System.Text.Encoding.UTF8.GetBytes(new PredictionId(new ModelVersion("late", "0123456789abcdef"), new PartitionId("schedules", 1), offset).ToString()));
        buffer.Text("late"u8);
        buffer.Text("0123456789abcdef"u8);
        buffer.Text(System.Text.Encoding.UTF8.GetBytes(variant));
        return buffer.Written.ToArray();
    }
}
