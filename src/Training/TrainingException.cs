namespace StreamMl.Training;

/// <summary>Training cannot go on as it was asked for; the message names the value, the limit and what to do.</summary>
public sealed class TrainingException(string message) : Exception(message);
