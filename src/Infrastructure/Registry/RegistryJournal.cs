using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace StreamMl.Infrastructure.Registry;

/// <summary>
/// The registry's changes as JSON lines, one file, appended and flushed to the disk one by one (they are few). A last line that a crash
/// cut off was never answered to anyone: it is dropped on opening. Not thread-safe: the state calls it under its lock.
/// </summary>
internal sealed class RegistryJournal : IDisposable
{
    public const string FileName = "schema-registry.jsonl";
    private readonly FileStream file;

    private RegistryJournal(FileStream file) => this.file = file;

    /// <summary>Opens the directory's journal and replays it into a state that writes on to it.</summary>
    public static (RegistryState State, RegistryJournal Journal) Open(string directory)
    {
        Directory.CreateDirectory(directory);
        var stream = new FileStream(Path.Combine(directory, FileName), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.Read);
        var journal = new RegistryJournal(stream);
        var state = new RegistryState(journal.Write);
        journal.ReplayInto(state);
        return (state, journal);
    }

    public void Dispose() => file.Dispose();

    private void ReplayInto(RegistryState state)
    {
        var bytes = new byte[file.Length];
        file.ReadExactly(bytes);
        int start = 0, line = 1;
        for (int end; (end = Array.IndexOf(bytes, (byte)'\n', start)) >= 0; start = end + 1, line++)
        {
            state.Replay(Parse(bytes.AsSpan(start, end - start), line));
        }

        file.SetLength(start);
        file.Position = start;
    }

    private RegistryChange Parse(ReadOnlySpan<byte> text, int line)
    {
        try
        {
            var json = JsonNode.Parse(text)!;
            string? subject = (string?)json["subject"];
            return (string?)json["change"] switch
            {
                "registered" => new RegistryChange.Registered(
                    new RegisteredSchema(subject!, (int)json["version"]!, (int)json["id"]!, (string)json["schema"]!)),
                "level" => new RegistryChange.LevelSet(subject, json["level"] is { } level ? CompatibilityLevels.Parse((string?)level) : null),
                "deleted" => new RegistryChange.Deleted(subject!, (int?)json["version"], (bool)json["permanent"]!),
                var other => throw new JsonException($"unknown change '{other}'"),
            };
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or NullReferenceException)
        {
            throw new InvalidDataException($"{file.Name}({line}): {e.Message}. Restore the file from a copy, or delete it and register the schemas again.", e);
        }
    }

    private void Write(RegistryChange change)
    {
        var json = change switch
        {
            RegistryChange.Registered(var s) => new JsonObject
            {
                ["change"] = "registered",
                ["subject"] = s.Subject,
                ["version"] = s.Version,
                ["id"] = s.Id,
                ["schema"] = s.Schema,
            },
            RegistryChange.LevelSet(var subject, var level) => new JsonObject { ["change"] = "level", ["subject"] = subject, ["level"] = level?.ToWire() },
            RegistryChange.Deleted(var subject, var version, var permanent) => new JsonObject
            {
                ["change"] = "deleted",
                ["subject"] = subject,
                ["version"] = version,
                ["permanent"] = permanent,
            },
            _ => throw new ArgumentOutOfRangeException(nameof(change), change, "unknown change"),
        };
        file.Write(Encoding.UTF8.GetBytes(json.ToJsonString() + "\n"));
        file.Flush(flushToDisk: true);
    }
}
