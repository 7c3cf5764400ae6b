using StreamMl.Shared.Log;

namespace StreamMl.Infrastructure.Kafka;

/// <summary>Told what became of the records that were sent with it, on threads of the client: be quick. A flush answers on its own thread beside the client's, so the last
/// offset of a partition need not be told last.</summary>
public interface IDeliveryListener
{
    void Delivered(PartitionId target, long offset);

    void Failed(Exception error);
}
