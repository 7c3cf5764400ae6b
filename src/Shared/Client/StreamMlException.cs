using System.Text;
using System.Text.Json;

namespace StreamMl.Shared.Client;

/// <summary>The server refused a request (problem+json, RFC 9457).</summary>
public sealed class StreamMlException : Exception
{
    private StreamMlException(int status, string code, string message)
        : base(message)
    {
        Status = status;
        Code = code;
    }

    /// <summary>HTTP status: 4xx is the request's fault, 503 passes by itself.</summary>
    public int Status { get; }

    /// <summary>The kind of problem: no-such-service, missing-key, view-not-ready, …</summary>
    public string Code { get; }

    internal static StreamMlException Of(int status, byte[] body)
    {
        try
        {
            using var json = JsonDocument.Parse(body);
            var problem = json.RootElement;
            var code = problem.GetProperty("type").GetString()!.Replace("urn:streamml:", "", StringComparison.Ordinal);
            return new StreamMlException(status, code, $"{problem.GetProperty("detail").GetString()}. {problem.GetProperty("remedy").GetString()} (HTTP {status})");
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            // Something between us and the server answered: a proxy, or no StreamMl at all.
            var text = Encoding.UTF8.GetString(body.AsSpan(0, Math.Min(body.Length, 200)));
            return new StreamMlException(status, "unknown", $"HTTP {status}, and not from a StreamMl server: {text}");
        }
    }
}
