namespace StreamMl.Training.Tracking;

/// <summary>Why a request to the runs was refused.</summary>
public enum TrackingProblem
{
    /// <summary>A value that cannot be.</summary>
    Invalid,

    /// <summary>What is asked for is not there.</summary>
    Missing,

    /// <summary>It is there already.</summary>
    Exists,
}

/// <summary>A request to the runs was refused; the message names the value and what to do.</summary>
public sealed class TrackingException(string message, TrackingProblem problem = TrackingProblem.Invalid) : Exception(message)
{
    public TrackingProblem Problem { get; } = problem;
}
