using System.Runtime.CompilerServices;

namespace StreamMl.Infrastructure.Avro;

/// <summary>Walks over a value that nobody reads, without allocating. Recursive schemas are cyclic graphs. Immutable; thread-safe.</summary>
internal sealed class SkipNode
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

    /// <summary>Where the value ends (<paramref name="next"/>), or why it does not, and then where that was seen.</summary>
    public DecodeError Skip(ref byte source, nint at, nint end, int depth, out nint next)
    {
        next = at;
        if (FixedSize >= 0)
            return Advance(ref next, end, FixedSize);
        if (depth > MaxDepth)
            return DecodeError.Depth;
        switch (Kind)
        {
            case AvroKind.Int or AvroKind.Long or AvroKind.Enum:
                return Varint.TryRead(ref source, ref next, end, out _);
            case AvroKind.String or AvroKind.Bytes:
                return SkipText(ref source, ref next, end);
            case AvroKind.Union:
                var error = Varint.TryRead(ref source, ref next, end, out var branch);
                if (error != DecodeError.None)
                    return error;
                return (ulong)branch < (ulong)children.Length
                    ? children[branch].Skip(ref source, next, end, depth + 1, out next)
                    : DecodeError.Branch;
            case AvroKind.Record:
                foreach (var child in children)
                {
                    error = child.Skip(ref source, next, end, depth + 1, out next);
                    if (error != DecodeError.None)
                        return error;
                }

                return DecodeError.None;
            default:
                return SkipBlocks(ref source, ref next, end, depth);
        }
    }

    public static DecodeError SkipText(ref byte source, ref nint at, nint end)
    {
        var error = Varint.TryRead(ref source, ref at, end, out var length);
        if (error != DecodeError.None)
            return error;
        return length < 0 ? DecodeError.Length : Advance(ref at, end, length);
    }

    private DecodeError SkipBlocks(ref byte source, ref nint at, nint end, int depth)
    {
        while (true)
        {
            var error = Varint.TryRead(ref source, ref at, end, out var count);
            if (error != DecodeError.None || count == 0)
                return error;
            // A negative count is followed by the block's size in bytes, made for skipping.
            error = count < 0 ? SkipText(ref source, ref at, end) : SkipItems(ref source, ref at, end, count, depth);
            if (error != DecodeError.None)
                return error;
        }
    }

    private DecodeError SkipItems(ref byte source, ref nint at, nint end, long count, int depth)
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
            var error = Kind == AvroKind.Map ? SkipText(ref source, ref at, end) : DecodeError.None;
            if (error == DecodeError.None)
                error = item.Skip(ref source, at, end, depth + 1, out at);
            if (error != DecodeError.None)
                return error;
        }

        return DecodeError.None;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static DecodeError Advance(ref nint at, nint end, long count)
    {
        if (count > end - at)
            return DecodeError.Truncated;
        at += (nint)count;
        return DecodeError.None;
    }
}
