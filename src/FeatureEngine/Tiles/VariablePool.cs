using StreamMl.FeatureEngine.Aggregates.Variable;

namespace StreamMl.FeatureEngine.Tiles;

/// <summary>The byte states that tiles hold by handle; 0 is none. Freed ones are used again. Not thread-safe.</summary>
internal sealed class VariablePool
{
    // Beside the bytes a pooled state costs about this much.
    private const int ObjectBytes = 64;

    private readonly List<VariableState> states = [];
    private readonly Stack<int> free = [];

    public long MemoryBytes => (long)states.Count * ObjectBytes * 2;

    /// <summary>The state of a handle; a handle of 0 gets a new, empty one.</summary>
    public VariableState Get(ref long handle)
    {
        if (handle != 0)
            return states[(int)handle - 1];
        if (!free.TryPop(out var index))
        {
            index = states.Count;
            states.Add(new VariableState());
        }

        handle = index + 1;
        return states[index];
    }

    public ReadOnlySpan<byte> Bytes(long handle) => handle == 0 ? default : states[(int)handle - 1].Span;

    public void Return(ref long handle)
    {
        if (handle == 0)
            return;
        states[(int)handle - 1].Clear();
        free.Push((int)handle - 1);
        handle = 0;
    }
}
