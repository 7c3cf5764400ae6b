namespace StreamMl.Infrastructure.Registry;

/// <summary>A refusal in Confluent's terms: an HTTP status, their <c>error_code</c> and a message.</summary>
public sealed class RegistryException(int errorCode, string message, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>As Confluent counts: 40401 subject, 40402 version, 40403 schema, 42201 invalid schema, 409 incompatible ...; the first three digits are the status.</summary>
    public int ErrorCode { get; } = errorCode;

    public int Status => ErrorCode >= 1000 ? ErrorCode / 100 : ErrorCode;

    internal static RegistryException NoSubject(string subject) => new(40401, $"Subject '{subject}' not found.");

    internal static RegistryException NoVersion(int version) => new(40402, $"Version {version} not found.");

    internal static RegistryException NoSchema(int id) => new(40403, $"Schema {id} not found");

    internal static RegistryException BadVersion(string version) => new(
        42202, $"The specified version '{version}' is not a valid version id. Allowed values are between [1, 2^31-1] and the string \"latest\"");

    internal static RegistryException Invalid(string reason, Exception? inner = null) => new(42201, $"Invalid schema: {reason}", inner);
}
