using System.ComponentModel.DataAnnotations;

namespace StreamMl.Monitoring.Quality;

/// <summary>Which predictions are held against which labels.</summary>
public sealed class QualityOptions
{
    /// <summary>The topic of predictions.</summary>
    [Required]
    public string Topic { get; set; } = "";

    /// <summary>The field of a prediction that names what it is about, as the trigger event carries it: <c>flight_id</c>.</summary>
    [Required]
    public string PredictionField { get; set; } = "";

    /// <summary>The source whose events tell what happened.</summary>
    [Required]
    public string LabelSource { get; set; } = "";

    /// <summary>The field of those events that equals <see cref="PredictionField"/>.</summary>
    [Required]
    public string LabelField { get; set; } = "";

    /// <summary>The label, an expression over those events: <c>arr_delay &gt; 15</c>. A boolean or a number; where it is null the event tells nothing.</summary>
    [Required]
    public string LabelExpression { get; set; } = "";

    /// <summary>Keys that are remembered per variant. 1,000 to 100,000,000; default 1,000,000, about 100 MB.</summary>
    [Range(1_000, 100_000_000)]
    public int MaxKeys { get; set; } = 1_000_000;
}
