using System.Diagnostics.Metrics;

namespace StreamMl.OnlineScorer;

/// <summary>The meter <c>StreamMl.OnlineScorer</c>.</summary>
internal static class ServingMetrics
{
    public const string MeterName = "StreamMl.OnlineScorer";

    private static readonly Meter Meter = new(MeterName);

    /// <summary>Vectors read by request; tag service.</summary>
    public static Counter<long> Reads { get; } = Meter.CreateCounter<long>("streamml.serving.reads", "{vector}", "Feature vectors read by request");

    /// <summary>Vectors served to trigger events; tag service.</summary>
    public static Counter<long> Served { get; } = Meter.CreateCounter<long>("streamml.serving.served", "{vector}", "Feature vectors served to trigger events");

    /// <summary>Trigger batches that were read before the views had come far enough; tag service.</summary>
    public static Counter<long> GaveUp { get; } = Meter.CreateCounter<long>("streamml.serving.gave_up", "{batch}", "Trigger batches read before their views had caught up");

    /// <summary>Trigger records that could not be decoded; tag service.</summary>
    public static Counter<long> Undecodable { get; } = Meter.CreateCounter<long>("streamml.serving.undecodable", "{record}", "Trigger records that could not be decoded");

    /// <summary>Predictions by event; tag service.</summary>
    public static Counter<long> Predictions { get; } = Meter.CreateCounter<long>("streamml.serving.predictions", "{prediction}", "Predictions made for trigger events");

    /// <summary>Trigger events that a model could not score; tag service.</summary>
    public static Counter<long> Failed { get; } = Meter.CreateCounter<long>("streamml.serving.failed", "{event}", "Trigger events that were dead-lettered by the scorer");

    /// <summary>Rows scored by request; tag model.</summary>
    public static Counter<long> Requested { get; } = Meter.CreateCounter<long>("streamml.serving.requested", "{row}", "Rows scored by request");

    /// <summary>How long a batch of trigger events waited for its views; tag service.</summary>
    public static Histogram<double> Wait { get; } = Meter.CreateHistogram<double>("streamml.serving.wait", "ms", "Wait of a batch of trigger events for its views");

    /// <summary>How long a batch's read of the store took; tag service.</summary>
    public static Histogram<double> Read { get; } = Meter.CreateHistogram<double>("streamml.serving.read", "ms", "Read of the features of a batch of trigger events");

    /// <summary>How long the sinks took for a batch: scoring, encoding and handing over; tag service.</summary>
    public static Histogram<double> Write { get; } = Meter.CreateHistogram<double>("streamml.serving.write", "ms", "Scoring and handing over of a batch of trigger events");
}
