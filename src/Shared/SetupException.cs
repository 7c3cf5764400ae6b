namespace StreamMl.Shared;

/// <summary>
/// What is around the product is not as it must be: a server's settings, a topic, an archive, workers that run. The message says what was found and what to do; where in
/// the program it was found helps nobody.
/// </summary>
public sealed class SetupException(string message, Exception? inner = null) : InvalidOperationException(message, inner);
