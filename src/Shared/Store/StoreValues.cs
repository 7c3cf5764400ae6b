using System.Buffers;

namespace StreamMl.Shared.Store;

/// <summary>The values of a read, in the order of its keys, in one pooled buffer. Dispose once, when no span is used any more. Not thread-safe.</summary>
public sealed class StoreValues : IDisposable
{
    private byte[] bytes;
    private int[] starts;
    private int[] lengths;
    private int used;

    /// <param name="count">Values there will be.</param>
    /// <param name="byteHint">Expected bytes of all values.</param>
    public StoreValues(int count, int byteHint = 0)
    {
        Count = count;
        bytes = ArrayPool<byte>.Shared.Rent(Math.Max(byteHint, 64));
        starts = ArrayPool<int>.Shared.Rent(Math.Max(count, 1));
        lengths = ArrayPool<int>.Shared.Rent(Math.Max(count, 1));
        lengths.AsSpan(0, count).Fill(-1);
    }

    public int Count { get; }

    /// <summary>Whether the store has the key.</summary>
    public bool Has(int index) => lengths[index] >= 0;

    /// <summary>The value; empty where the key is absent.</summary>
    public ReadOnlySpan<byte> this[int index] => lengths[index] > 0 ? bytes.AsSpan(starts[index], lengths[index]) : [];

    /// <summary>A copy of the value, or null where the key is absent.</summary>
    public byte[]? ToArray(int index) => Has(index) ? this[index].ToArray() : null;

    /// <summary>For stores: room for the value at <paramref name="index"/>, to be filled before the next call.</summary>
    public Span<byte> Allocate(int index, int length)
    {
        if (used + length > bytes.Length)
        {
            var larger = ArrayPool<byte>.Shared.Rent(Math.Max(bytes.Length * 2, used + length));
            bytes.AsSpan(0, used).CopyTo(larger);
            ArrayPool<byte>.Shared.Return(bytes);
            bytes = larger;
        }

        starts[index] = used;
        lengths[index] = length;
        used += length;
        return bytes.AsSpan(starts[index], length);
    }

    public void Dispose()
    {
        if (bytes.Length == 0)
            return;
        ArrayPool<byte>.Shared.Return(bytes);
        ArrayPool<int>.Shared.Return(starts);
        ArrayPool<int>.Shared.Return(lengths);
        (bytes, starts, lengths) = ([], [], []);
    }
}
