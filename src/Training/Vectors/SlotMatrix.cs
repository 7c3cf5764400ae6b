namespace StreamMl.Training.Vectors;

/// <summary>Vectors in memory, in blocks: what is read many times (search, ensembles, permutations) is encoded once.</summary>
internal sealed class SlotMatrix : SlotSource
{
    private const int BlockRows = 4096;
    private readonly float[][] blocks;

    private SlotMatrix(SlotSource source, float[][] blocks)
        : base(source.Rows, source.Slots) => this.blocks = blocks;

    public static SlotMatrix Of(SlotSource source)
    {
        var width = source.Slots.Count;
        var filled = new float[(source.Count + BlockRows - 1) / BlockRows][];
        // Each block has a reader of its own: encoding depends on the row alone.
        Parallel.For(0, filled.Length, b =>
        {
            var read = source.Open();
            var rows = Math.Min(BlockRows, source.Count - (b * BlockRows));
            var block = filled[b] = new float[rows * width];
            for (var i = 0; i < rows; i++)
                read((b * BlockRows) + i).CopyTo(block.AsSpan(i * width));
        });
        return new SlotMatrix(source, filled);
    }

    public override SlotReader Open()
    {
        var width = Slots.Count;
        return index => blocks[index / BlockRows].AsSpan(index % BlockRows * width, width);
    }
}
