using Apache.Arrow;

namespace StreamMl.Infrastructure.Archive;

/// <summary>An Arrow validity bitmap being built. All rows start as null.</summary>
internal sealed class ValidityBits(int rows)
{
    private readonly byte[] bits = new byte[(rows + 7) / 8];

    public int NullCount { get; private set; } = rows;

    public void Set(int row, bool valid)
    {
        if (!valid)
            return;
        bits[row >> 3] |= (byte)(1 << (row & 7));
        NullCount--;
    }

    /// <summary>Empty where no row is null, as Arrow allows.</summary>
    public ArrowBuffer ToBuffer() => NullCount == 0 ? ArrowBuffer.Empty : new ArrowBuffer(bits);
}
