namespace StreamMl.BatchBackfill;

/// <summary>The request or its input is wrong; the message says what, where and what to do. Exit code 2.</summary>
public sealed class BackfillException(string message) : Exception(message);
