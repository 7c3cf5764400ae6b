using System.Text;
using StreamMl.Infrastructure.Kafka;
using StreamMl.Infrastructure.Registry;

namespace StreamMl.OnlineScorer.Tests.Triggers;

/// <summary>The trigger's topic of the lab's catalogue.</summary>
internal static class Schedules
{
    /// <summary>Sends so many events and waits until they are delivered.</summary>
    public static async Task ProduceAsync(KafkaEndpoint kafka, SchemaRegistryClient schemas, int count, CancellationToken stop)
    {
        var id = await schemas.RegisterAsync("schedules-value", ServingLab.Avro, stop);
        await using var producer = new KafkaProducerFactory(kafka).Create();
        for (var i = 0; i < count; i++)
        {
            var value = TripAvro.Encode(id, $"A{i % 7}", $"B{i % 5}", i % 3, ServingLab.StartUs + i);
            await producer.SendAsync("schedules", Encoding.UTF8.GetBytes($"A{i % 7}"), value, ServingLab.StartUs + i, null, stop);
        }

        await producer.FlushAsync(stop);
    }
}
