namespace StreamMl.Training.Tracking.Mlflow;

/// <summary>A refusal in MLflow's own words.</summary>
/// <param name="code">As MLflow's clients know it.</param>
/// <param name="message">For people.</param>
internal sealed class MlflowException(string code, string message) : Exception(message)
{
    public const string Invalid = "INVALID_PARAMETER_VALUE";
    public const string Missing = "RESOURCE_DOES_NOT_EXIST";
    public const string Exists = "RESOURCE_ALREADY_EXISTS";
    public const string NoEndpoint = "ENDPOINT_NOT_FOUND";
    public const string Denied = "PERMISSION_DENIED";
    public const string Busy = "TEMPORARILY_UNAVAILABLE";
    public const string Internal = "INTERNAL_ERROR";

    public string Code { get; } = code;

    public static int StatusOf(string code) => code switch
    {
        Missing or NoEndpoint => 404,
        Denied => 403,
        Busy => 503,
        Internal => 500,
        _ => 400,
    };
}
