using System.Buffers;
using System.Text;
using System.Text.Json;
using StreamMl.FeatureEngine.Views;
using StreamMl.OnlineScorer.Reading;
using StreamMl.Shared.Definitions;
using StreamMl.Shared.Log;
using StreamMl.Shared.Store;

namespace StreamMl.OnlineScorer.Api;

/// <summary>Writes what there is: services and views.</summary>
internal static class CatalogResponse
{
    public static void WriteServices(IBufferWriter<byte> output, ServiceBook book)
    {
        using var json = new Utf8JsonWriter(output);
        json.WriteStartObject();
        json.WriteString("catalog", book.Catalog.Name);
        json.WriteStartArray("services");
        foreach (var service in book.Catalog.Services)
        {
            json.WriteStartObject();
            WriteHead(json, book.Service(service.Name));
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    public static void WriteService(IBufferWriter<byte> output, ServiceBook book, string name)
    {
        using var json = new Utf8JsonWriter(output);
        var service = book.Service(name);
        json.WriteStartObject();
        WriteHead(json, service);
        json.WriteStartArray("features");
        foreach (var reference in service.Program.Definition.Features)
        {
            var view = service.Views.First(v => v.Name == reference.View).View.Program;
            var (first, count) = view.OutputsOf(reference.Feature);
            for (var output0 = first; output0 < first + count; output0++)
            {
                json.WriteStartObject();
                json.WriteString("name", view.Outputs[output0].FullName);
                json.WriteString("type", JsonValues.TypeName(view.Outputs[output0].Type));
                JsonValues.WriteFeature(json, view.View.Features.First(f => f.Name == reference.Feature));
                json.WriteEndObject();
            }
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    /// <param name="output">Where to.</param>
    /// <param name="catalog">Its views are written.</param>
    /// <param name="programs">The views, compiled.</param>
    /// <param name="positions">Every partition's position of every view, in order; absent where the view never ran there.</param>
    public static void WriteViews(IBufferWriter<byte> output, Catalog catalog, IReadOnlyList<ViewProgram> programs, StoreValues positions)
    {
        using var json = new Utf8JsonWriter(output);
        json.WriteStartObject();
        json.WriteString("catalog", catalog.Name);
        json.WriteStartArray("views");
        var at = 0;
        foreach (var program in programs)
        {
            json.WriteStartObject();
            WriteView(json, catalog, program);
            json.WriteStartArray("positions");
            for (var partition = 0; partition < program.Source.Partitions; partition++)
                WritePosition(json, partition, positions, at++);
            json.WriteEndArray();
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    public static void WriteEntities(IBufferWriter<byte> output, Catalog catalog, ViewProgram program, IReadOnlyList<byte[]> keys)
    {
        using var json = new Utf8JsonWriter(output);
        var names = catalog.Entity(program.View.Entity).Keys;
        json.WriteStartObject();
        json.WriteString("view", program.View.Name);
        json.WriteStartArray("entities");
        foreach (var key in keys.Select(k => EntityKey.ToTexts(k, names.Count)))
        {
            json.WriteStartObject();
            for (var i = 0; i < names.Count; i++)
                json.WriteString(names[i], key[i]);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void WriteHead(Utf8JsonWriter json, ServedService service)
    {
        json.WriteString("name", service.Program.Name);
        json.WriteString("hash", service.Program.Hash);
        json.WriteString("trigger", service.Program.Definition.Trigger);
        json.WriteStartArray("keys");
        foreach (var key in service.Program.Keys)
        {
            json.WriteStartObject();
            json.WriteString("name", key.Name);
            json.WriteString("type", JsonValues.TypeName(key.Type));
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteStartArray("views");
        foreach (var view in service.Views)
            json.WriteStringValue(view.Name);
        json.WriteEndArray();
        json.WriteNumber("columns", service.Program.Columns.Count);
    }

    private static void WriteView(Utf8JsonWriter json, Catalog catalog, ViewProgram program)
    {
        json.WriteString("name", program.View.Name);
        json.WriteString("definition", program.Hash8);
        json.WriteString("source", program.Source.Name);
        json.WriteString("log", program.Log);
        json.WriteString("entity", program.View.Entity);
        json.WriteStartArray("keys");
        foreach (var key in catalog.Entity(program.View.Entity).Keys)
            json.WriteStringValue(key);
        json.WriteEndArray();
        json.WriteStartArray("features");
        foreach (var feature in program.View.Features)
        {
            json.WriteStartObject();
            json.WriteString("name", feature.Name);
            json.WriteString("type", JsonValues.TypeName(program.Outputs[program.OutputsOf(feature.Name).First].Type));
            JsonValues.WriteFeature(json, feature);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static void WritePosition(Utf8JsonWriter json, int partition, StoreValues positions, int at)
    {
        json.WriteStartObject();
        json.WriteNumber("partition", partition);
        if (positions.Has(at))
        {
            var position = PositionRecord.Decode(positions[at]);
            json.WriteNumber("nextOffset", position.NextOffset);
            if (position.FromOffset > 0)
                json.WriteNumber("fromOffset", position.FromOffset);
            JsonValues.WriteTime(json, "watermark", position.WatermarkUs);
            JsonValues.WriteTime(json, "firstEvent", position.FirstEventTimeUs);
        }
        else
        {
            json.WriteNull("nextOffset"); // never ran
        }

        json.WriteEndObject();
    }

    /// <summary>The position keys of all partitions of these views, in order.</summary>
    public static PackedBytes PositionKeys(IReadOnlyList<ViewProgram> programs)
    {
        var keys = new PackedBytes();
        foreach (var program in programs)
        {
            for (var partition = 0; partition < program.Source.Partitions; partition++)
                keys.Add(Encoding.UTF8.GetBytes(LogNames.PositionKey(new PartitionId(program.Log, partition), program.View.Name, program.Hash8)));
        }

        return keys;
    }
}
