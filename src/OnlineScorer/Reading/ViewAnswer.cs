using StreamMl.FeatureEngine.Views;

namespace StreamMl.OnlineScorer.Reading;

/// <summary>Where the values of one view in one answer come from: enough to compute them again from the archive.</summary>
/// <param name="Partition">The log partition of the entity; -1 where a key field was null: such an entity has no state, and no position.</param>
/// <param name="NextOffset">The prefix of the partition that the values were computed from is [<see cref="FromOffset"/>, NextOffset). 0 for a null key.</param>
/// <param name="WatermarkUs">The partition's watermark in that prefix; long.MinValue where nothing was seen.</param>
/// <param name="FirstEventTimeUs">Least event time that the partition ever saw; long.MinValue where nothing was seen.</param>
/// <param name="AsOfUs">The asked time.</param>
/// <param name="Read">What the engine says of the state.</param>
public readonly record struct ViewAnswer(int Partition, long NextOffset, long WatermarkUs, long FirstEventTimeUs, long AsOfUs, ReadInfo Read)
{
    public const int NoPartition = -1;

    /// <summary>Where the store began to count: 0, or the first offset that the log still had when it began without what was before.</summary>
    public long FromOffset { get; init; }

    /// <summary>
    /// The part of all that the partition ever had that is in a lifetime value, 0 to 1, counted in offsets: what is before <see cref="FromOffset"/> is unknown, and so is when it happened.
    /// </summary>
    public double LifetimeCoverage => FromOffset == 0 ? 1 : (double)(NextOffset - FromOffset) / NextOffset;

    /// <summary>The entity is further than the asked time: the values are as of <see cref="ReadInfo.EffectiveTimeUs"/>.</summary>
    public bool IsShifted => Read.EffectiveTimeUs != AsOfUs;

    /// <summary>Time from the entity's newest event to the asked time, negative where that is later; null without an event.</summary>
    public long? AgeUs => Read.IsEmpty || Read.NewestEventTimeUs == long.MinValue ? null : AsOfUs - Read.NewestEventTimeUs;
}
