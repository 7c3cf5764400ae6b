namespace StreamMl.FeatureEngine.Views;

/// <summary>What a read was made of, beside its values.</summary>
/// <param name="EffectiveTimeUs">The greater of the asked time and the entity's newest event time less the allowed lateness.</param>
/// <param name="NewestEventTimeUs">Greatest event time of the entity in the prefix; long.MinValue where it has none or was forgotten.</param>
/// <param name="LastOffset">Offset of the last event in the state; -1 where there is none.</param>
/// <param name="IsEmpty">The entity has no state: counts are 0, all else is null.</param>
public readonly record struct ReadInfo(long EffectiveTimeUs, long NewestEventTimeUs, long LastOffset, bool IsEmpty);

/// <summary>What became of a row in one view.</summary>
public enum RowOutcome : byte
{
    Applied,

    /// <summary>Older than every window of the view can still read.</summary>
    Late,

    /// <summary>Dropped by the view's row filter, or an entity key field was null.</summary>
    Filtered,
}
