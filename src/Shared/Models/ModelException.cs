namespace StreamMl.Shared.Models;

/// <summary>A model is not there, or is refused; the message names the value, the limit and what to do.</summary>
public sealed class ModelException(string message) : Exception(message);
