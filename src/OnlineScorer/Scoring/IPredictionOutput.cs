namespace StreamMl.OnlineScorer.Scoring;

/// <summary>What a predictions topic and its dead letters hold of a trigger partition from one offset on.</summary>
/// <param name="Predicted">By variant (as <see cref="PredictionSink.VariantOf"/>), the greatest trigger offset that has a prediction.</param>
/// <param name="DeadLettered">Variant and trigger offset of each dead letter.</param>
internal sealed record WrittenPredictions(IReadOnlyDictionary<string, long> Predicted, IReadOnlySet<(string Variant, long Offset)> DeadLettered)
{
    /// <summary>Nothing behind it was written; -1: nothing was at all.</summary>
    public long LastOffset { get; } = Predicted.Values.Concat(DeadLettered.Select(d => d.Offset)).DefaultIfEmpty(-1).Max();

    public static WrittenPredictions None { get; } = new(new Dictionary<string, long>(StringComparer.Ordinal), new HashSet<(string, long)>());
}

/// <summary>A trigger event that could not be scored, as it came.</summary>
internal readonly record struct FailedEvent(string Variant, string Topic, int Partition, long Offset, byte[]? Key, byte[] Value, long ArrivalTimeUs, string Reason);

/// <summary>Where predictions go. A trigger partition's go to the partition of the same number, in order. Called by one thread.</summary>
internal interface IPredictionOutput : IAsyncDisposable
{
    /// <summary>What was written for the trigger partition's events from an offset on.</summary>
    WrittenPredictions ReadBack(int partition, long fromTriggerOffset);

    /// <summary>Returns once there is room for it, not once it is durable. The bytes are copied, and must not change until then.</summary>
    ValueTask SendAsync(int partition, ReadOnlyMemory<byte>? key, ReadOnlyMemory<byte> value, long timestampUs, CancellationToken cancellationToken);

    ValueTask SendDeadLetterAsync(FailedEvent failed, CancellationToken cancellationToken);

    /// <summary>All that was sent is durable when this returns.</summary>
    Task FlushAsync(CancellationToken cancellationToken);
}
