namespace StreamMl.ModelEngine.Trees;

/// <summary>
/// Sums the leaves that a split vector reaches. Every kernel adds them in doubles, from 0, tree after tree, so all give the same bits. Immutable; thread-safe.
/// </summary>
internal abstract class TreeKernel
{
    /// <summary>What a thread needs beside the kernel.</summary>
    public virtual TreeKernelRoom NewRoom() => TreeKernelRoom.None;

    /// <param name="vector">As <see cref="VectorLayout.Fill"/> gives it.</param>
    public abstract double Sum(ReadOnlySpan<float> vector, TreeKernelRoom room);
}

/// <summary>A kernel's room to work; one thread at a time.</summary>
internal class TreeKernelRoom
{
    public static readonly TreeKernelRoom None = new();
}
