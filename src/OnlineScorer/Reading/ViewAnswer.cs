using StreamMl.FeatureEngine.Views;

namespace StreamMl.OnlineScorer.Reading;

/// <summary>Where the values of one view in one answer come from: enough to compute them again from the archive.</summary>
/// <param name="Partition">The log partition of the entity; -1 where a key field was null: such an entity has no state, and no position.</param>
/// <param name="NextOffset">The prefix of the partition that the values were computed from is [0, NextOffset). 0 for a null key.</param>
/// <param name="WatermarkUs">The partition's watermark in that prefix; long.MinValue where nothing was seen.</param>
/// <param name="FirstEventTimeUs">Least event time that the partition ever saw; long.MinValue where nothing was seen.</param>
/// <param name="AsOfUs">The asked time.</param>
/// <param name="Read">What the engine says of the state.</param>
public readonly record struct ViewAnswer(int Partition, long NextOffset, long WatermarkUs, long FirstEventTimeUs, long AsOfUs, ReadInfo Read)
{
    public const int NoPartition = -1;

    /// <summary>The entity is further than the asked time: the values are as of <see cref="ReadInfo.EffectiveTimeUs"/>.</summary>
    public bool IsShifted => Read.EffectiveTimeUs != AsOfUs;

    /// <summary>Time from the entity's newest event to the asked time, negative where that is later; null without an event.</summary>
    public long? AgeUs => Read.IsEmpty || Read.NewestEventTimeUs == long.MinValue ? null : AsOfUs - Read.NewestEventTimeUs;
}
