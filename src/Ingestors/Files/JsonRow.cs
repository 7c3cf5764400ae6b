using System.Text;
using System.Text.Json;

namespace StreamMl.Ingestors.Files;

/// <summary>Reads one JSON object into a row. Not thread-safe.</summary>
internal sealed class JsonRow
{
    private readonly Node root = new();
    private readonly CellBinding[] bindings;
    private byte[] unescaped = new byte[256];

    /// <param name="bindings">Where members go; members of nested objects are named with dots.</param>
    public JsonRow(IReadOnlyList<CellBinding> bindings)
    {
        this.bindings = [.. bindings];
        for (var i = 0; i < bindings.Count; i++)
            root.Add(bindings[i].Column.Split('.'), i);
    }

    /// <summary>Members that are absent are null; anything wrong is a problem of the row.</summary>
    public void Read(RowChunk chunk, int row, ReadOnlySpan<byte> json)
    {
        foreach (var binding in bindings)
            chunk.Rows.Columns[binding.Target].SetNull(row);
        var reader = new Utf8JsonReader(json);
        try
        {
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
            {
                chunk.SetProblem(row, $"the record is not a JSON object but starts with {reader.TokenType}");
                return;
            }

            ReadObject(ref reader, chunk, row, root);
            if (reader.Read())
                chunk.SetProblem(row, "something follows the JSON object; write one object a line");
        }
        catch (JsonException e)
        {
            chunk.SetProblem(row, $"the record is not JSON: {e.Message}");
        }
        catch (InvalidOperationException e)
        {
            // Utf8JsonReader's answer to text that is not UTF-8 or to half a surrogate pair.
            chunk.SetProblem(row, $"the record is not valid UTF-8: {e.Message}");
        }
    }

    private void ReadObject(ref Utf8JsonReader reader, RowChunk chunk, int row, Node node)
    {
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var child = node.Find(ref reader);
            reader.Read();
            if (child is null)
                reader.Skip();
            else if (reader.TokenType == JsonTokenType.StartObject && child.HasChildren)
                ReadObject(ref reader, chunk, row, child);
            else
                ReadValue(ref reader, chunk, row, child);
        }
    }

    private void ReadValue(ref Utf8JsonReader reader, RowChunk chunk, int row, Node node)
    {
        var text = TextOf(ref reader, out var isNull);
        if (isNull)
            return;
        foreach (var index in node.Bindings)
        {
            var binding = bindings[index];
            if (binding.Format.TryParse(text, chunk.Rows.Arena, out var lane, out var problem))
                chunk.Rows.Columns[binding.Target].Set(row, lane);
            else
                chunk.SetProblem(row, binding.Column, text, problem);
        }
    }

    private ReadOnlySpan<byte> TextOf(ref Utf8JsonReader reader, out bool isNull)
    {
        isNull = reader.TokenType == JsonTokenType.Null;
        switch (reader.TokenType)
        {
            case JsonTokenType.String when !reader.ValueIsEscaped:
            case JsonTokenType.Number or JsonTokenType.True or JsonTokenType.False or JsonTokenType.Null:
                return reader.ValueSpan;
            case JsonTokenType.String:
                if (unescaped.Length < reader.ValueSpan.Length)
                    unescaped = new byte[reader.ValueSpan.Length * 2];
                return unescaped.AsSpan(0, reader.CopyString(unescaped));
            default:
                using (var document = JsonDocument.ParseValue(ref reader))
                    return Encoding.UTF8.GetBytes(document.RootElement.GetRawText());
        }
    }

    /// <summary>A name in the tree of names that are wanted.</summary>
    private sealed class Node
    {
        private readonly List<Node> children = [];
        private byte[] nameUtf8 = [];

        public string Name { get; private init; } = "";

        public List<int> Bindings { get; } = [];

        public bool HasChildren => children.Count > 0;

        public void Add(ReadOnlySpan<string> path, int binding)
        {
            if (path.IsEmpty)
            {
                Bindings.Add(binding);
                return;
            }

            var name = path[0];
            var child = children.Find(c => c.Name == name);
            if (child is null)
            {
                child = new Node { Name = name, nameUtf8 = Encoding.UTF8.GetBytes(name) };
                children.Add(child);
            }

            child.Add(path[1..], binding);
        }

        public Node? Find(ref Utf8JsonReader reader)
        {
            foreach (var child in children)
            {
                if (reader.ValueTextEquals(child.nameUtf8))
                    return child;
            }

            return null;
        }
    }
}
