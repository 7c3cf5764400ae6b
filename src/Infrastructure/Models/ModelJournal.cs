using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace StreamMl.Infrastructure.Models;

/// <summary>What was done to a model.</summary>
/// <param name="At">When.</param>
/// <param name="What">published, alias or deleted.</param>
/// <param name="Version">The version that it was done to; null where an alias was removed.</param>
/// <param name="Alias">The alias that moved; null for other changes.</param>
/// <param name="From">The version that the alias left; null where it was new.</param>
/// <param name="Who">As the caller gave it.</param>
/// <param name="Why">As the caller gave it.</param>
public sealed record ModelChange(DateTimeOffset At, string What, string? Version, string? Alias, string? From, string? Who, string? Why);

/// <summary>A model's changes as JSON lines, appended and flushed one by one. The caller holds the model's lock for appending.</summary>
internal static class ModelJournal
{
    private static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    public static void Append(string path, ModelChange change)
    {
        using var file = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.Read);
        file.SetLength(WholeLines(file));
        file.Position = file.Length;
        file.Write(Encoding.UTF8.GetBytes(JsonSerializer.Serialize(change, Json) + "\n"));
        file.Flush(flushToDisk: true);
    }

    /// <summary>All changes, oldest first. A last line that a crash cut off is not one.</summary>
    public static IReadOnlyList<ModelChange> Read(string path)
    {
        if (!File.Exists(path))
            return [];
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        using var reader = new StreamReader(file, Encoding.UTF8);
        var text = reader.ReadToEnd();
        return [.. text[..(text.LastIndexOf('\n') + 1)].Split('\n', StringSplitOptions.RemoveEmptyEntries).Select((line, i) => Parse(path, i + 1, line))];
    }

    private static ModelChange Parse(string path, int line, string text)
    {
        try
        {
            return JsonSerializer.Deserialize<ModelChange>(text, Json)!;
        }
        catch (JsonException e)
        {
            throw new InvalidDataException($"{path}({line}): {e.Message} Restore the file from a copy, or remove that line", e);
        }
    }

    private static long WholeLines(FileStream file)
    {
        for (var end = file.Length; end > 0; end--)
        {
            file.Position = end - 1;
            if (file.ReadByte() == '\n')
                return end;
        }

        return 0;
    }
}
