using System.Buffers.Binary;
using StreamMl.FeatureEngine.Tiles;
using StreamMl.Shared.Features;

namespace StreamMl.FeatureEngine.Views;

/// <summary>Reads feature values straight from a stored state, without building anything. Pure; thread-safe.</summary>
public static unsafe class StateReader
{
    /// <param name="program">The view's program; the state must be one of its own.</param>
    /// <param name="state">What <see cref="ViewStates.Encode"/> wrote; empty: the entity has no state.</param>
    /// <param name="asOfUs">The asked time, microseconds.</param>
    /// <param name="watermarkUs">The partition's watermark at the position of the read; <see cref="Shared.Log.PositionRecord.None"/> before any event.</param>
    /// <param name="into">Gets the view's outputs.</param>
    /// <param name="firstColumn">Where the first output goes.</param>
    /// <exception cref="FormatException">The bytes are not a state of this view's program.</exception>
    public static ReadInfo Read(ViewProgram program, ReadOnlySpan<byte> state, long asOfUs, long watermarkUs, FeatureRow into, int firstColumn)
    {
        if (!state.IsEmpty)
            StateFormat.CheckHeader(program, state);
        fixed (byte* bytes = state)
        {
            var tiles = new StoredTiles(program, bytes, state.Length);
            var newestUs = state.IsEmpty ? long.MinValue : BinaryPrimitives.ReadInt64LittleEndian(state[1..]);
            var lastOffset = state.IsEmpty ? -1 : BinaryPrimitives.ReadInt64LittleEndian(state[9..]);
            return StateFold.Read(program, ref tiles, newestUs, lastOffset, asOfUs, watermarkUs, into, firstColumn);
        }
    }
}
