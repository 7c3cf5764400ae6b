namespace StreamMl.Infrastructure.Avro;

/// <summary>Walks over a value that nobody reads, without allocating. Recursive schemas are cyclic graphs. Immutable; thread-safe.</summary>
internal sealed unsafe class SkipNode
{
    /// <summary>Deepest nesting of a value; deeper ones are refused, so that a hostile record cannot exhaust the stack.</summary>
    public const int MaxDepth = 64;

    private SkipNode[] children = [];

    private SkipNode(AvroKind kind) => Kind = kind;

    public AvroKind Kind { get; }

    /// <summary>Bytes of every value of this type, or -1 where that depends on the value. A value that is not fixed has at least one byte.</summary>
    public long FixedSize { get; private set; } = -1;

    public static SkipNode Of(AvroType type, Dictionary<AvroType, SkipNode> known)
    {
        if (known.TryGetValue(type, out var node))
            return node;
        known[type] = node = new SkipNode(type.Kind);
        node.children = type.Kind switch
        {
            AvroKind.Record => [.. type.Fields.Select(f => Of(f.Type, known))],
            AvroKind.Union => [.. type.Branches.Select(b => Of(b, known))],
            AvroKind.Array or AvroKind.Map => [Of(type.Items!, known)],
            _ => [],
        };
        node.FixedSize = type.Kind switch
        {
            AvroKind.Null => 0,
            AvroKind.Boolean => 1,
            AvroKind.Float => 4,
            AvroKind.Double => 8,
            AvroKind.Fixed => type.Size,
            AvroKind.Record when node.children.All(c => c.FixedSize >= 0) => node.children.Sum(c => c.FixedSize),
            _ => -1,
        };
        return node;
    }

    /// <summary>Moves <paramref name="at"/> behind the value; on an error to where that was met.</summary>
    public DecodeError Skip(ref byte* at, byte* end, int depth)
    {
        if (FixedSize >= 0)
            return Advance(ref at, end, FixedSize);
        if (depth > MaxDepth)
            return DecodeError.Depth;
        switch (Kind)
        {
            case AvroKind.Int or AvroKind.Long or AvroKind.Enum:
                return Varint.TryRead(ref at, end, out _) ? DecodeError.None : Varint.ErrorAt(at, end);
            case AvroKind.String or AvroKind.Bytes:
                return SkipText(ref at, end);
            case AvroKind.Union:
                if (!Varint.TryRead(ref at, end, out var branch))
                    return Varint.ErrorAt(at, end);
                return (ulong)branch < (ulong)children.Length ? children[branch].Skip(ref at, end, depth + 1) : DecodeError.Branch;
            case AvroKind.Record:
                foreach (var child in children)
                {
                    var error = child.Skip(ref at, end, depth + 1);
                    if (error != DecodeError.None)
                        return error;
                }

                return DecodeError.None;
            default:
                return SkipBlocks(ref at, end, depth);
        }
    }

    private static DecodeError SkipText(ref byte* at, byte* end)
    {
        if (!Varint.TryRead(ref at, end, out var length))
            return Varint.ErrorAt(at, end);
        return length < 0 ? DecodeError.Length : Advance(ref at, end, length);
    }

    private DecodeError SkipBlocks(ref byte* at, byte* end, int depth)
    {
        while (true)
        {
            if (!Varint.TryRead(ref at, end, out var count))
                return Varint.ErrorAt(at, end);
            if (count == 0)
                return DecodeError.None;
            // A negative count is followed by the block's size in bytes, made for skipping.
            var error = count < 0 ? SkipText(ref at, end) : SkipItems(ref at, end, count, depth);
            if (error != DecodeError.None)
                return error;
        }
    }

    private DecodeError SkipItems(ref byte* at, byte* end, long count, int depth)
    {
        var item = children[0];
        if (Kind == AvroKind.Array && item.FixedSize >= 0)
        {
            return item.FixedSize == 0 || count <= (end - at) / item.FixedSize
                ? Advance(ref at, end, item.FixedSize * count)
                : DecodeError.Truncated;
        }

        // Every turn takes at least a byte, so the body bounds the loop whatever the count says.
        for (var i = 0L; i < count; i++)
        {
            var error = Kind == AvroKind.Map ? SkipText(ref at, end) : DecodeError.None;
            if (error == DecodeError.None)
                error = item.Skip(ref at, end, depth + 1);
            if (error != DecodeError.None)
                return error;
        }

        return DecodeError.None;
    }

    private static DecodeError Advance(ref byte* at, byte* end, long count)
    {
        if (count > end - at)
            return DecodeError.Truncated;
        at += count;
        return DecodeError.None;
    }
}
