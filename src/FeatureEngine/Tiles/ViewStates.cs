using System.Buffers;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;
using StreamMl.FeatureEngine.Aggregates;
using StreamMl.FeatureEngine.Aggregates.Variable;
using StreamMl.FeatureEngine.Tiles;
using StreamMl.Shared.Features;

namespace StreamMl.FeatureEngine.Views;

/// <summary>
/// The states of many entities of one view over one log partition (or of one entity at a time, in a backfill). Holds native memory: dispose
/// it. Not thread-safe. The state of an entity after a prefix of the log is the same however the prefix was cut into calls.
/// </summary>
public sealed unsafe class ViewStates : IDisposable
{
    private const int EntitiesPerChunkBits = 8;
    private const int EntitiesPerChunk = 1 << EntitiesPerChunkBits;
    private const int FarAhead = 16;
    private const int NearAhead = 8;
    private const long None = long.MinValue;

    private readonly ViewProgram program;
    private readonly Level[] levels;
    private readonly EntityLayout layout;
    private readonly EntityInterner interner = new();
    private readonly LevelTiles tiles;
    private readonly VariablePool variables = new();
    private readonly RowValue* row;
    private nint* chunks;
    private int chunkCount;
    private bool disposed;

    public ViewStates(ViewProgram program)
    {
        this.program = program;
        levels = program.Levels;
        layout = new EntityLayout(levels);
        tiles = new LevelTiles(program, layout, variables);
        row = (RowValue*)NativeMemory.AllocZeroed((nuint)Math.Max(1, program.Columns.Count), (nuint)sizeof(RowValue));
    }

    public ViewProgram Program => program;

    /// <summary>Entities interned so far, whether they have a state or not.</summary>
    public int Count => interner.Count;

    public long MemoryBytes => interner.MemoryBytes + tiles.MemoryBytes + ((long)chunkCount * EntitiesPerChunk * layout.Words * 8) + variables.MemoryBytes;

    /// <summary>The entity's dense id; a new entity starts without a state.</summary>
    public int Intern(ReadOnlySpan<byte> key)
    {
        var id = interner.Intern(key);
        if (id >> EntitiesPerChunkBits >= chunkCount)
            AddChunk();
        return id;
    }

    /// <summary>Ids of the rows of a bound batch, by row, as <see cref="Intern"/> gives them but several times as fast; -1 where a row is filtered.</summary>
    public void InternBatch(ViewInput input, int fromRow, int toRow, Span<int> ids)
    {
        interner.Intern(input, fromRow, toRow, ids);
        while (interner.Count > chunkCount << EntitiesPerChunkBits)
            AddChunk();
    }

    public bool TryFind(ReadOnlySpan<byte> key, out int id) => interner.TryFind(key, out id);

    public ReadOnlySpan<byte> KeyOf(int id) => interner.KeyOf(id);

    /// <summary>
    /// Takes rows into the states, in order. <paramref name="ids"/> and <paramref name="outcomes"/> are indexed by row; the id of a
    /// filtered row is not looked at.
    /// </summary>
    public void Apply(ViewInput input, int fromRow, int toRow, ReadOnlySpan<int> ids, Span<RowOutcome> outcomes)
    {
        var batch = input.Batch;
        for (var i = fromRow; i < toRow; i++)
        {
            if (Sse.IsSupported && i + FarAhead < toRow)
            {
                if (!input.IsFiltered(i + FarAhead))
                    Prefetch(ids[i + FarAhead]);
                if (!input.IsFiltered(i + NearAhead))
                    tiles.PrefetchClosing(Entity(ids[i + NearAhead]), batch.EventTimesUs[i + NearAhead]);
            }

            if (input.IsFiltered(i))
            {
                outcomes[i] = RowOutcome.Filtered;
                continue;
            }

            input.Gather(i, row);
            var applied = ApplyRow(Entity(ids[i]), input, i, batch.EventTimesUs[i], batch.Offsets[i], batch.WatermarksUs[i]);
            outcomes[i] = applied ? RowOutcome.Applied : RowOutcome.Late;
        }
    }

    /// <summary>Replaces the entity's state by one that <see cref="Encode"/> wrote; an empty span is no state.</summary>
    /// <exception cref="FormatException">The bytes are not a state of this view's program.</exception>
    public void Load(int id, ReadOnlySpan<byte> state)
    {
        Reset(id);
        if (!state.IsEmpty)
            StateCodec.Load(program, Entity(id), layout, tiles, variables, state);
    }

    /// <summary>Writes the entity's canonical state: the same bytes for the same prefix of the log. Writes nothing where there is no state.</summary>
    public void Encode(int id, IBufferWriter<byte> output)
    {
        if (Entity(id)[EntityLayout.NewestWord] != None)
            StateCodec.Encode(program, Entity(id), layout, tiles, variables, output);
    }

    /// <summary>The values as of a time, into <paramref name="into"/> from <paramref name="firstColumn"/> on; the same as <see cref="StateReader"/> gives for the encoded state.</summary>
    public ReadInfo Read(int id, long asOfUs, long watermarkUs, FeatureRow into, int firstColumn)
    {
        var entity = Entity(id);
        var source = new MemoryTiles(entity, layout, levels, variables);
        return StateFold.Read(program, ref source, entity[EntityLayout.NewestWord], entity[EntityLayout.LastOffsetWord], asOfUs, watermarkUs, into, firstColumn);
    }

    /// <summary>Makes the entity empty and frees what its state held; its id stays.</summary>
    public void Reset(int id) => Reset(Entity(id));

    public void Dispose()
    {
        if (disposed)
            return;
        disposed = true;
        tiles.Dispose();
        for (var i = 0; i < chunkCount; i++)
            NativeMemory.AlignedFree((void*)chunks[i]);
        NativeMemory.Free(chunks);
        NativeMemory.Free(row);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private long* Entity(int id) => (long*)chunks[id >> EntitiesPerChunkBits] + ((long)(id & (EntitiesPerChunk - 1)) * layout.Words);

    private bool ApplyRow(long* entity, ViewInput input, int rowIndex, long eventTimeUs, long offset, long watermarkUs)
    {
        var newest = entity[EntityLayout.NewestWord];
        if (newest != None && program.ForgetAfterUs is { } forgetAfterUs && watermarkUs != None && watermarkUs - newest > forgetAfterUs)
        {
            Reset(entity);
            newest = None;
        }

        if (eventTimeUs > newest)
            newest = eventTimeUs;
        var applied = false;
        for (var l = 0; l < levels.Length; l++)
        {
            var level = levels[l];
            var open = entity + layout.OpenWord[l];
            var tile = (ulong)(eventTimeUs - open[0]) < (ulong)level.HopUs && open[0] != None ? open : tiles.Find(entity, l, eventTimeUs, newest);
            if (tile == null)
                continue;
            applied = true;
            foreach (ref readonly var op in level.Ops.AsSpan())
                Lanes.Update(in op, tile + 1, row, eventTimeUs, offset);
            if (level.Variables.Length > 0)
                UpdateVariables(level, tile, input, rowIndex, eventTimeUs, offset);
        }

        if (applied)
        {
            entity[EntityLayout.NewestWord] = newest;
            entity[EntityLayout.LastOffsetWord] = offset;
        }

        return applied;
    }

    private void UpdateVariables(Level level, long* tile, ViewInput input, int rowIndex, long eventTimeUs, long offset)
    {
        var handles = tile + 1 + level.LaneCount;
        for (var v = 0; v < level.Variables.Length; v++)
        {
            var column = level.VariableColumns[v];
            if (column >= 0 && row[column].Present == 0)
                continue;
            var text = column >= 0 && program.Columns[column].Type == Shared.Events.FieldType.String ? input.Text(column, rowIndex) : default;
            var lane = column >= 0 ? row[column].Lane : 0;
            level.Variables[v].Update(variables.Get(ref handles[v]), new VariableInput(eventTimeUs, offset, lane, text));
        }
    }

    private void Reset(long* entity)
    {
        if (entity[EntityLayout.NewestWord] == None)
            return;
        for (var l = 0; l < levels.Length; l++)
            tiles.Clear(entity, l);
        entity[EntityLayout.NewestWord] = None;
        entity[EntityLayout.LastOffsetWord] = -1;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Prefetch(int id)
    {
        var entity = (byte*)Entity(id);
        var end = entity + (layout.Words * 8);
        for (; entity < end; entity += 64)
            Sse.Prefetch0(entity);
    }

    private void AddChunk()
    {
        chunks = (nint*)NativeMemory.Realloc(chunks, (nuint)((chunkCount + 1) * sizeof(nint)));
        var chunk = (long*)NativeMemory.AlignedAlloc((nuint)(EntitiesPerChunk * layout.Words * 8), 64);
        new Span<long>(chunk, EntitiesPerChunk * layout.Words).Clear();
        for (var i = 0; i < EntitiesPerChunk; i++)
        {
            var entity = chunk + (i * layout.Words);
            entity[EntityLayout.NewestWord] = None;
            entity[EntityLayout.LastOffsetWord] = -1;
            foreach (var word in layout.OpenWord)
                entity[word] = None;
        }

        chunks[chunkCount++] = (nint)chunk;
    }
}
