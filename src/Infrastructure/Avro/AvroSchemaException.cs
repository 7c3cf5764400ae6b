namespace StreamMl.Infrastructure.Avro;

/// <summary>An Avro schema that cannot be used: not Avro, not a record, or not resolvable against the schema that reads it.</summary>
public sealed class AvroSchemaException(string message, string remedy, Exception? cause = null) : Exception($"{message}. {remedy}.", cause)
{
    /// <summary>What was found and where, without a full stop.</summary>
    public string Finding { get; } = message;

    /// <summary>What would be right, without a full stop.</summary>
    public string Remedy { get; } = remedy;
}
