using System.Reactive;
using StreamMl.Shared.Events;
using StreamMl.StreamFeatures.Records;

namespace StreamMl.StreamFeatures.Decoding;

/// <summary>From raw records to events: one call and one reused batch per slice, nothing per event.</summary>
internal static class DecodeEventsOperator
{
    /// <summary>
    /// The events of each slice, in order. The batch is valid until the observer has returned and its work on it is done: the pump pushes the
    /// next slice only then. Empty batches are passed on too, as the position moved.
    /// </summary>
    public static IObservable<EventBatch> DecodeEvents(this IObservable<RecordSlice> slices, PartitionDecoder decoder) => new Operator(slices, decoder);

    private sealed class Operator(IObservable<RecordSlice> source, PartitionDecoder decoder) : ObservableBase<EventBatch>
    {
        protected override IDisposable SubscribeCore(IObserver<EventBatch> observer) => source.Subscribe(new SliceObserver(observer, decoder));
    }

    private sealed class SliceObserver(IObserver<EventBatch> downstream, PartitionDecoder decoder) : IObserver<RecordSlice>
    {
        public void OnNext(RecordSlice value) => downstream.OnNext(decoder.Decode(value));

        public void OnError(Exception error) => downstream.OnError(error);

        public void OnCompleted() => downstream.OnCompleted();
    }
}
