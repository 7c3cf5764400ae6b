using System.Text.Json;

namespace StreamMl.Infrastructure.Hosting;

/// <summary>The servers that a running process of a directory uses, so that the next command there finds them: <c>endpoints.json</c>.</summary>
/// <param name="Kafka">Bootstrap servers.</param>
/// <param name="Redis">host:port.</param>
/// <param name="Registry">URL.</param>
/// <param name="Api">URL of the feature query API; null where none runs.</param>
/// <param name="Catalog">Full path of the catalogue.</param>
public sealed record EndpointsFile(string Kafka, string Redis, string Registry, string? Api, string? Catalog)
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { WriteIndented = true };

    public static string PathIn(string directory) => Path.Combine(directory, "endpoints.json");

    /// <summary>What the directory's running process told, or null where none runs.</summary>
    public static EndpointsFile? Read(string directory)
    {
        var path = PathIn(directory);
        return File.Exists(path) ? JsonSerializer.Deserialize<EndpointsFile>(File.ReadAllText(path), Json) : null;
    }

    public void Write(string directory)
    {
        Directory.CreateDirectory(directory);
        File.WriteAllText(PathIn(directory), JsonSerializer.Serialize(this, Json));
    }

    public static void Delete(string directory) => File.Delete(PathIn(directory));
}
