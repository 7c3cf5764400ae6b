using System.Buffers;
using System.Runtime.Intrinsics.X86;
using StreamMl.FeatureEngine.Tiles;
using StreamMl.Shared.Features;

namespace StreamMl.FeatureEngine.Views;

/// <summary>
/// The states of many entities of one view over one log partition (or of one entity at a time, in a backfill). Holds native memory: dispose
/// it. Not thread-safe. The state of an entity after a prefix of the log is the same however the prefix was cut into calls.
/// </summary>
public sealed unsafe class ViewStates : IDisposable
{
    // A miss takes as long as some ten events: first the entity's own lines, then what those point to.
    private const int FarAhead = 20;
    private const int NearAhead = 10;
    private const long None = long.MinValue;

    private readonly ViewProgram program;
    private readonly EntityInterner interner = new();
    private readonly EntityTable entities;
    private readonly StateCodec codec;
    private readonly LevelTiles closed;
    private readonly OpenTiles open;
    private readonly EntityUpdate update;
    private readonly StatisticsUpdate? statistics;
    private readonly VariablePool variables = new();
    private readonly EntityLayout layout;
    private bool disposed;

    public ViewStates(ViewProgram program)
    {
        this.program = program;
        layout = new EntityLayout(program.Levels);
        entities = new EntityTable(layout);
        closed = new LevelTiles(program, variables);
        open = new OpenTiles(program, layout, closed);
        update = new EntityUpdate(program, open, closed, variables);
        if (StatisticsUpdate.IsFor(open, program.Levels.Length))
            statistics = new StatisticsUpdate(program, entities, open, closed, update);
        codec = new StateCodec(program, layout, open, closed, variables);
    }

    public ViewProgram Program => program;

    /// <summary>Entities interned so far, whether they have a state or not.</summary>
    public int Count => interner.Count;

    public long MemoryBytes => interner.MemoryBytes + closed.MemoryBytes + entities.MemoryBytes + variables.MemoryBytes;

    /// <summary>The entity's dense id; a new entity starts without a state.</summary>
    public int Intern(ReadOnlySpan<byte> key)
    {
        var id = interner.Intern(key);
        entities.Reach(id + 1);
        return id;
    }

    /// <summary>Ids of the rows of a bound batch, by row, as <see cref="Intern"/> gives them but several times as fast; -1 where a row is filtered.</summary>
    public void InternBatch(ViewInput input, int fromRow, int toRow, Span<int> ids)
    {
        interner.Intern(input, fromRow, toRow, ids);
        entities.Reach(interner.Count);
    }

    public bool TryFind(ReadOnlySpan<byte> key, out int id) => interner.TryFind(key, out id);

    public ReadOnlySpan<byte> KeyOf(int id) => interner.KeyOf(id);

    /// <summary>
    /// Takes rows into the states, in order. <paramref name="ids"/> and <paramref name="outcomes"/> are indexed by row; the id of a
    /// filtered row is not looked at.
    /// </summary>
    public void Apply(ViewInput input, int fromRow, int toRow, ReadOnlySpan<int> ids, Span<RowOutcome> outcomes)
    {
        if (statistics is not null)
        {
            statistics.Apply(input, fromRow, toRow, ids, outcomes);
            return;
        }

        for (var i = fromRow; i < toRow; i++)
        {
            if (Sse.IsSupported && i + FarAhead < toRow)
                Prefetch(input, i, ids);
            outcomes[i] = Apply(input, i, ids[i]);
        }
    }

    /// <summary>Takes rows of one entity into its state, in order.</summary>
    public void Apply(ViewInput input, int fromRow, int toRow, int id, Span<RowOutcome> outcomes)
    {
        if (statistics is not null)
        {
            statistics.Apply(input, fromRow, toRow, id, outcomes);
            return;
        }

        for (var i = fromRow; i < toRow; i++)
            outcomes[i] = Apply(input, i, id);
    }

    /// <summary>Replaces the entity's state by one that <see cref="Encode"/> wrote; an empty span is no state.</summary>
    /// <exception cref="FormatException">The bytes are not a state of this view's program.</exception>
    public void Load(int id, ReadOnlySpan<byte> state)
    {
        Reset(id);
        if (!state.IsEmpty)
            codec.Load(entities.Entity(id), state);
    }

    /// <summary>Writes the entity's canonical state: the same bytes for the same prefix of the log. Writes nothing where there is no state.</summary>
    public void Encode(int id, IBufferWriter<byte> output)
    {
        if (entities.Entity(id)[EntityLayout.NewestWord] != None)
            codec.Encode(entities.Entity(id), output);
    }

    /// <summary>The values as of a time, into <paramref name="into"/> from <paramref name="firstColumn"/> on; the same as <see cref="StateReader"/> gives for the encoded state.</summary>
    public ReadInfo Read(int id, long asOfUs, long watermarkUs, FeatureRow into, int firstColumn)
    {
        var entity = entities.Entity(id);
        var newestUs = entity[EntityLayout.NewestWord];
        if (newestUs != None)
            open.Settle(entity);
        var source = new MemoryTiles(entity, layout, program.Levels, closed, variables);
        return StateFold.Read(program, ref source, newestUs, entity[EntityLayout.LastOffsetWord], asOfUs, watermarkUs, into, firstColumn);
    }

    /// <summary>Makes the entity empty and frees what its state held; its id stays.</summary>
    public void Reset(int id) => update.Reset(entities.Entity(id));

    public void Dispose()
    {
        if (disposed)
            return;
        disposed = true;
        closed.Dispose();
        entities.Dispose();
        update.Dispose();
    }

    private RowOutcome Apply(ViewInput input, int rowIndex, int id)
    {
        if (input.IsFiltered(rowIndex))
            return RowOutcome.Filtered;
        return update.Apply(entities.Entity(id), input, rowIndex) ? RowOutcome.Applied : RowOutcome.Late;
    }

    private void Prefetch(ViewInput input, int rowIndex, ReadOnlySpan<int> ids)
    {
        if (!input.IsFiltered(rowIndex + FarAhead))
            entities.Prefetch(ids[rowIndex + FarAhead]);
        if (!input.IsFiltered(rowIndex + NearAhead))
            update.Prefetch(entities.Entity(ids[rowIndex + NearAhead]), input.Batch.EventTimesUs[rowIndex + NearAhead]);
    }
}
