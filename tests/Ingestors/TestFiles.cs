using StreamMl.Infrastructure.Avro;
using StreamMl.Ingestors.Mapping;
using StreamMl.Ingestors.Records;
using StreamMl.Shared.Definitions;

namespace StreamMl.Ingestors.Tests;

/// <summary>A folder of its own for each test, gone afterwards.</summary>
public sealed class TestFolder : IDisposable
{
    private static int count;

    public string Path { get; } = Directory.CreateDirectory(System.IO.Path.Combine(
        System.IO.Path.GetTempPath(), $"streamml-ingest-{Environment.ProcessId}-{Interlocked.Increment(ref count)}")).FullName;

    public string Write(string name, string text)
    {
        var path = System.IO.Path.Combine(Path, name);
        File.WriteAllText(path, text);
        return path;
    }

    public void Dispose() => Directory.Delete(Path, recursive: true);
}

internal static class TestSources
{
    public const string TapsSchema = """
        {"type": "record", "name": "Tap", "fields": [
          {"name": "card", "type": "string"},
          {"name": "at", "type": {"type": "long", "logicalType": "timestamp-micros"}},
          {"name": "amount", "type": ["null", "double"], "default": null},
          {"name": "count", "type": "int"},
          {"name": "ok", "type": ["null", "boolean"], "default": null},
          {"name": "shop", "type": ["null", "string"], "default": null}]}
        """;

    public static SourceDefinition Taps => Of("taps", TapsSchema, "at", "card");

    public static SourceDefinition Of(string name, string schema, string eventTime, params string[] key) => new()
    {
        Name = name,
        Topic = name,
        AvroSchema = schema,
        Schema = AvroSchemaReader.ReadEventSchema(schema),
        EventTimeField = eventTime,
        KeyFields = key,
        Partitions = 2,
    };

    /// <summary>The repository's root: the folder with the solution.</summary>
    public static string Root
    {
        get
        {
            var folder = new DirectoryInfo(AppContext.BaseDirectory);
            while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "StreamMl.sln")))
                folder = folder.Parent;
            return folder!.FullName;
        }
    }

    public static SourceDefinition Flights(string name) =>
        Of(name, File.ReadAllText(Path.Combine(Root, "samples/flights/schemas", name + ".avsc")), "event_time", "origin");

    public static MappingFile FlightsMapping => MappingReader.Read(Path.Combine(Root, "samples/flights/mapping.yaml"));

    public static List<(long ArrivalUs, long Row, string? Key, BadRow? Problem, byte[] Value)> ReadAll(IRecordStream stream)
    {
        var all = new List<(long, long, string?, BadRow?, byte[])>();
        var block = new RecordBlock();
        while (stream.Read(block))
        {
            for (var i = 0; i < block.Count; i++)
                all.Add((block.ArrivalTimeUs(i), block.Row(i), block.HasKey(i) ? System.Text.Encoding.UTF8.GetString(block.KeySpan(i)) : null, block.Problem(i), block.Value(i).ToArray()));
        }

        return all;
    }
}
