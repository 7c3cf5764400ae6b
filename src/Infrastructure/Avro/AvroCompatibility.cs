using System.Text.Json.Nodes;
using Avro;
using AvroSchema = Avro.Schema;

namespace StreamMl.Infrastructure.Avro;

/// <summary>
/// Whether data written with one Avro schema can be read with another, by the specification's schema resolution (and, where it is
/// silent, as Java's SchemaCompatibility: names match without their namespace). Logical types do not count, as in the specification.
/// Pure and thread-safe.
/// </summary>
public static class AvroCompatibility
{
    /// <summary>Empty where every datum of the writer can be read; else one message per reason, each with its place in the reader.</summary>
    /// <exception cref="AvroException">One of the two is not an Avro schema.</exception>
    public static IReadOnlyList<string> Check(string reader, string writer)
    {
        var walk = new CompatibilityWalk();
        walk.Compare(Parse(reader), Parse(writer), "");
        return walk.Messages;
    }

    /// <summary>The schema without its logical types, which Apache.Avro refuses where it does not know them.</summary>
    /// <exception cref="AvroException">It is not an Avro schema.</exception>
    internal static AvroSchema Parse(string schema)
    {
        JsonNode? json;
        try
        {
            json = JsonNode.Parse(schema);
        }
        catch (System.Text.Json.JsonException)
        {
            // A bare type name ("string" without quotes) is not JSON; Apache.Avro takes it.
            return ParseApache(schema);
        }

        StripLogicalTypes(json);
        return ParseApache(json?.ToJsonString() ?? "null");
    }

    private static AvroSchema ParseApache(string schema)
    {
        try
        {
            // It answers null for a type that it does not know.
            return AvroSchema.Parse(schema) ?? throw new SchemaParseException($"unknown type in {schema}");
        }
        catch (Exception e) when (e is not (AvroException or OutOfMemoryException))
        {
            // It lets the exceptions of its JSON reader and a few of its own bugs out as well: all mean that the text is no schema.
            throw new SchemaParseException(e.Message, e);
        }
    }

    private static void StripLogicalTypes(JsonNode? node)
    {
        if (node is JsonArray array)
        {
            foreach (var item in array) StripLogicalTypes(item);
        }
        else if (node is JsonObject record)
        {
            record.Remove("logicalType");
            foreach (var property in record)
            {
                // A default is data: a record's default may well have a field of that name.
                if (property.Key != "default") StripLogicalTypes(property.Value);
            }
        }
    }
}

/// <summary>One comparison: collects messages and remembers the pairs under way, for recursive types.</summary>
internal sealed class CompatibilityWalk
{
    private readonly HashSet<(AvroSchema Reader, AvroSchema Writer)> seen = new(PairByReference.Instance);

    public List<string> Messages { get; } = [];

    public void Compare(AvroSchema reader, AvroSchema writer, string path)
    {
        if (!seen.Add((reader, writer))) return;
        if (writer is UnionSchema writerUnion) CompareWriterUnion(reader, writerUnion, path);
        else if (reader is UnionSchema readerUnion) CompareReaderUnion(readerUnion, writer, path);
        else if (reader.Tag == writer.Tag) CompareSame(reader, writer, path);
        else if (!Promotes(writer.Tag, reader.Tag)) Add(path, $"the reader has {Name(reader)} and the writer {Name(writer)}, which does not become it");
    }

    private void CompareSame(AvroSchema reader, AvroSchema writer, string path)
    {
        switch (reader)
        {
            case ArraySchema array:
                Compare(array.ItemSchema, ((ArraySchema)writer).ItemSchema, path + "/items");
                break;
            case MapSchema map:
                Compare(map.ValueSchema, ((MapSchema)writer).ValueSchema, path + "/values");
                break;
            case FixedSchema @fixed:
                CompareFixed(@fixed, (FixedSchema)writer, path);
                break;
            case EnumSchema @enum:
                CompareEnum(@enum, (EnumSchema)writer, path);
                break;
            case RecordSchema record:
                CompareRecord(record, (RecordSchema)writer, path);
                break;
        }
    }

    private void CompareWriterUnion(AvroSchema reader, UnionSchema writer, string path)
    {
        foreach (var branch in writer.Schemas) Compare(reader, branch, path);
    }

    private void CompareReaderUnion(UnionSchema reader, AvroSchema writer, string path)
    {
        List<string> closest = [];
        foreach (var branch in reader.Schemas)
        {
            var attempt = Attempt(branch, writer, path);
            if (attempt.Count == 0) return;
            if (branch.Tag == writer.Tag) closest = attempt;
        }

        if (closest.Count > 0) Messages.AddRange(closest);
        else Add(path, $"the reader's union ({string.Join(", ", reader.Schemas.Select(Name))}) has no branch for the writer's {Name(writer)}; add it");
    }

    private List<string> Attempt(AvroSchema reader, AvroSchema writer, string path)
    {
        // A branch that fails must not leave its pairs behind as compatible, so each attempt has its own memory.
        var walk = new CompatibilityWalk();
        walk.seen.UnionWith(seen);
        walk.Compare(reader, writer, path);
        return walk.Messages;
    }

    private void CompareFixed(FixedSchema reader, FixedSchema writer, string path)
    {
        CompareNames(reader, writer, path);
        if (reader.Size != writer.Size) Add(path, $"fixed '{reader.Name}' has {reader.Size} bytes in the reader and {writer.Size} in the writer");
    }

    private void CompareEnum(EnumSchema reader, EnumSchema writer, string path)
    {
        CompareNames(reader, writer, path);
        if (!string.IsNullOrEmpty(reader.Default)) return;
        var missing = writer.Symbols.Except(reader.Symbols, StringComparer.Ordinal).ToList();
        if (missing.Count > 0)
        {
            Add(path, $"enum '{reader.Name}' of the reader lacks the writer's {string.Join(", ", missing)}; add them, or give the enum a default symbol");
        }
    }

    private void CompareRecord(RecordSchema reader, RecordSchema writer, string path)
    {
        CompareNames(reader, writer, path);
        foreach (var field in reader.Fields)
        {
            string place = $"{path}/{field.Name}";
            if (Find(writer, field) is { } written)
            {
                Compare(field.Schema, written.Schema, place);
            }
            else if (field.DefaultValue is null && !(field.Schema is EnumSchema { Default: { Length: > 0 } }))
            {
                Add(place, $"field '{field.Name}' is not in the writer and has no default; give it one (or an alias that names the writer's field)");
            }
        }
    }

    private static Field? Find(RecordSchema writer, Field field)
    {
        if (writer.TryGetField(field.Name, out var same)) return same;
        foreach (string alias in field.Aliases ?? [])
        {
            if (writer.TryGetField(alias, out var renamed)) return renamed;
        }

        return null;
    }

    private void CompareNames(NamedSchema reader, NamedSchema writer, string path)
    {
        if (reader.Name == writer.Name || HasAlias(reader, writer)) return;
        Add(path, $"the reader's name is '{reader.Fullname}' and the writer's '{writer.Fullname}'; rename it back, or give the reader the alias '{writer.Fullname}'");
    }

    private static bool HasAlias(NamedSchema reader, NamedSchema writer) =>
        // The aliases of a named schema are not public in Apache.Avro; its JSON form has them.
        JsonNode.Parse(reader.ToString())?["aliases"] is JsonArray aliases
        && aliases.Any(a => a?.GetValue<string>() is { } alias && (alias == writer.Fullname || (!alias.Contains('.') && Qualify(reader, alias) == writer.Fullname)));

    private static string Qualify(NamedSchema schema, string alias) => string.IsNullOrEmpty(schema.Namespace) ? alias : $"{schema.Namespace}.{alias}";

    private static bool Promotes(AvroSchema.Type from, AvroSchema.Type to) => (from, to) switch
    {
        (AvroSchema.Type.Int, AvroSchema.Type.Long or AvroSchema.Type.Float or AvroSchema.Type.Double) => true,
        (AvroSchema.Type.Long, AvroSchema.Type.Float or AvroSchema.Type.Double) => true,
        (AvroSchema.Type.Float, AvroSchema.Type.Double) => true,
        (AvroSchema.Type.String, AvroSchema.Type.Bytes) or (AvroSchema.Type.Bytes, AvroSchema.Type.String) => true,
        _ => false,
    };

    private static string Name(AvroSchema schema) => schema is NamedSchema named ? $"{AvroSchema.GetTypeString(schema.Tag)} '{named.Name}'" : schema.Name;

    private void Add(string path, string message) => Messages.Add($"{(path.Length == 0 ? "/" : path)}: {message}");

    private sealed class PairByReference : IEqualityComparer<(AvroSchema Reader, AvroSchema Writer)>
    {
        public static readonly PairByReference Instance = new();

        public bool Equals((AvroSchema Reader, AvroSchema Writer) x, (AvroSchema Reader, AvroSchema Writer) y) =>
            ReferenceEquals(x.Reader, y.Reader) && ReferenceEquals(x.Writer, y.Writer);

        public int GetHashCode((AvroSchema Reader, AvroSchema Writer) pair) => HashCode.Combine(
            System.Runtime.CompilerServices.RuntimeHelpers.GetHashCode(pair.Reader), System.Runtime.CompilerServices.RuntimeHelpers.GetHashCode(pair.Writer));
    }
}
