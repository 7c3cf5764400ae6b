using StreamMl.Shared.Log;

namespace StreamMl.Infrastructure.Kafka;

/// <summary>Told what became of the records that were sent with it, on a thread of the client: be quick.</summary>
public interface IDeliveryListener
{
    void Delivered(PartitionId target, long offset);

    void Failed(Exception error);
}
