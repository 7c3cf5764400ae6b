using StreamMl.Shared.Definitions;
using StreamMl.Shared.Log;
using StreamMl.Shared.Time;

namespace StreamMl.FeatureEngine.Log;

/// <summary>What a record of a log is, before any view looks at it.</summary>
public enum Disposition : byte
{
    Accepted,

    /// <summary>A repartitioned record that was seen before (a retry of the repartitioner).</summary>
    Duplicate,

    /// <summary>Bad data: to the dead-letter topic, with its reason.</summary>
    DeadLetter,
}

/// <summary>
/// Decides, record by record in offset order, what the records of one log partition are, and keeps the partition's clocks. A pure function
/// of the records since <paramref name="start"/>, so the stream and the backfill agree. Every record of the log passes through
/// <see cref="Admit"/> or <see cref="AdmitUndecodable"/>, also those that are dropped. Not thread-safe.
/// </summary>
public sealed class LogGate(SourceDefinition source, PositionRecord start)
{
    private readonly long maxFutureSkewUs = TimeGrid.ToMicros(source.MaxFutureSkew);
    private long[] sourceOffsets = [.. start.SourceOffsets];
    private int sourceCount = start.SourceOffsets.Count;
    private long nextOffset = start.NextOffset;
    private long firstEventTimeUs = start.FirstEventTimeUs;

    /// <summary>Running maximum of the record timestamps up to and including the record last admitted.</summary>
    public long ArrivalClockUs { get; private set; } = start.ArrivalClockUs;

    /// <summary>Watermark before the record last admitted; <see cref="PositionRecord.None"/> before any.</summary>
    public long WatermarkBeforeUs { get; private set; } = start.WatermarkUs;

    /// <summary>Watermark after the record last admitted.</summary>
    public long WatermarkUs { get; private set; } = start.WatermarkUs;

    /// <param name="offset">Offset in this log; not below the last one.</param>
    /// <param name="arrivalUs">The record's timestamp.</param>
    /// <param name="eventTimeUs">The decoded event time.</param>
    /// <param name="sourcePartition">Of a repartitioned record; -1 on a source topic.</param>
    /// <param name="sourceOffset">Of a repartitioned record; ignored on a source topic.</param>
    /// <param name="reason">Why the record is a dead letter; null otherwise.</param>
    public Disposition Admit(long offset, long arrivalUs, long eventTimeUs, int sourcePartition, long sourceOffset, out string? reason)
    {
        reason = null;
        Advance(offset, arrivalUs);
        if (sourcePartition >= 0 && !IsNew(sourcePartition, sourceOffset))
            return Disposition.Duplicate;
        if (eventTimeUs > arrivalUs && eventTimeUs - arrivalUs > maxFutureSkewUs)
        {
            reason = $"event time {TimeGrid.Format(eventTimeUs)} is {Durations.Format(TimeGrid.FromMicros(eventTimeUs - arrivalUs))} after its arrival {TimeGrid.Format(arrivalUs)}; " +
                $"source '{source.Name}' allows {Durations.Format(source.MaxFutureSkew)} (maxFutureSkew)";
            return Disposition.DeadLetter;
        }

        if (eventTimeUs > WatermarkUs)
            WatermarkUs = eventTimeUs;
        if (firstEventTimeUs == PositionRecord.None || eventTimeUs < firstEventTimeUs)
            firstEventTimeUs = eventTimeUs;
        return Disposition.Accepted;
    }

    /// <summary>A record that no decoder could read: it moves the arrival clock and the position, nothing else.</summary>
    public void AdmitUndecodable(long offset, long arrivalUs) => Advance(offset, arrivalUs);

    /// <summary>The log has no record from here up to this offset, and never will: transaction markers and aborted records take offsets too. An offset that was passed is ignored.</summary>
    public void SkipTo(long offset) => nextOffset = Math.Max(nextOffset, offset);

    /// <summary>The position after the record last admitted, or where the log was skipped to.</summary>
    public PositionRecord Position(long epoch) => new(epoch, nextOffset, WatermarkUs, ArrivalClockUs, firstEventTimeUs, sourceOffsets[..sourceCount]);

    private void Advance(long offset, long arrivalUs)
    {
        if (offset < nextOffset)
            throw new ArgumentOutOfRangeException(nameof(offset), offset, $"records come in offset order: {nextOffset} or later is expected on this partition of '{source.Name}'");
        nextOffset = offset + 1;
        WatermarkBeforeUs = WatermarkUs;
        if (arrivalUs > ArrivalClockUs)
            ArrivalClockUs = arrivalUs;
    }

    private bool IsNew(int sourcePartition, long sourceOffset)
    {
        if (sourcePartition >= sourceCount)
        {
            if (sourcePartition >= sourceOffsets.Length)
                Array.Resize(ref sourceOffsets, Math.Max(sourcePartition + 1, sourceOffsets.Length * 2));
            sourceOffsets.AsSpan(sourceCount, sourcePartition + 1 - sourceCount).Fill(-1);
            sourceCount = sourcePartition + 1;
        }

        if (sourceOffset <= sourceOffsets[sourcePartition])
            return false;
        sourceOffsets[sourcePartition] = sourceOffset;
        return true;
    }
}
