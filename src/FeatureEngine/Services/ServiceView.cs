using StreamMl.FeatureEngine.Views;
using StreamMl.Shared.Definitions;
using StreamMl.Shared.Events;
using StreamMl.Shared.Features;
using StreamMl.Shared.Time;

namespace StreamMl.FeatureEngine.Services;

/// <summary>A trailing window that a service reads of a view.</summary>
public readonly record struct ServiceWindow(string Label, long LengthUs)
{
    /// <summary>
    /// The part of the window that lies after the first event that was ever seen, 0 to 1: what is before it is unknown, not empty.
    /// </summary>
    /// <param name="effectiveTimeUs">The end of the window.</param>
    /// <param name="firstEventTimeUs">The partition's first event time; long.MinValue where nothing was seen yet, which covers nothing.</param>
    public double Coverage(long effectiveTimeUs, long firstEventTimeUs)
    {
        if (firstEventTimeUs == long.MinValue || firstEventTimeUs >= effectiveTimeUs)
            return 0;
        return firstEventTimeUs <= effectiveTimeUs - LengthUs ? 1 : (double)(effectiveTimeUs - firstEventTimeUs) / LengthUs;
    }
}

/// <summary>One view as a service reads it. Immutable; thread-safe.</summary>
public sealed class ServiceView
{
    private readonly int[] outputs;
    private readonly int[] columns;
    private readonly int directColumn;

    internal ServiceView(
        ViewProgram program, EntityDefinition entity, IReadOnlyList<int> keySlots, IReadOnlyList<(int Output, int Column)> picks, IReadOnlyList<WindowDefinition> windows)
    {
        Program = program;
        Entity = entity;
        KeySlots = keySlots;
        outputs = [.. picks.Select(p => p.Output)];
        columns = [.. picks.Select(p => p.Column)];
        HasLifetime = windows.OfType<LifetimeWindow>().Any();
        Windows = [.. windows.OfType<TrailingWindow>().Select(w => new ServiceWindow(w.Label, TimeGrid.ToMicros(w.Length))).Distinct().OrderBy(w => w.LengthUs)];
        directColumn = FindDirectColumn();
    }

    public ViewProgram Program { get; }

    public string Name => Program.View.Name;

    public EntityDefinition Entity { get; }

    /// <summary>Where the parts of the entity key stand among <see cref="ServiceProgram.Keys"/>.</summary>
    public IReadOnlyList<int> KeySlots { get; }

    /// <summary>The trailing windows of the features that are read, shortest first.</summary>
    public IReadOnlyList<ServiceWindow> Windows { get; }

    /// <summary>Whether one of the features that are read covers all events that the entity ever had.</summary>
    public bool HasLifetime { get; }

    /// <summary>The view's whole output is one stretch of the service's columns: it can be read in place, from this column; -1 where it is not.</summary>
    public int DirectColumn => directColumn;

    /// <summary>The service's columns that this view fills.</summary>
    public ReadOnlySpan<int> ServiceColumns => columns;

    /// <summary>Reads a state (empty: none) into the service's columns of <paramref name="row"/>.</summary>
    /// <param name="state">As the store keeps it.</param>
    /// <param name="asOfUs">The asked time.</param>
    /// <param name="watermarkUs">The partition's watermark in the same prefix.</param>
    /// <param name="row">A row of the service.</param>
    /// <param name="scratch">A row of at least <see cref="ServiceProgram.WidestView"/> columns; its content is lost.</param>
    public ReadInfo Read(ReadOnlySpan<byte> state, long asOfUs, long watermarkUs, FeatureRow row, FeatureRow scratch)
    {
        if (directColumn >= 0)
            return StateReader.Read(Program, state, asOfUs, watermarkUs, row, directColumn);
        scratch.Clear();
        var info = StateReader.Read(Program, state, asOfUs, watermarkUs, scratch, 0);
        Pick(scratch, row);
        return info;
    }

    /// <summary>Copies the outputs that the service reads from a row of the view (its outputs from column 0) to a row of the service.</summary>
    public void Pick(FeatureRow view, FeatureRow service)
    {
        for (var i = 0; i < outputs.Length; i++)
        {
            if (view.Valid[outputs[i]] == 0)
                service.SetNull(columns[i]);
            else if (Program.Outputs[outputs[i]].Type == FieldType.String)
                service.Set(columns[i], view.Arena.Slice(view.Lanes[outputs[i]]));
            else
                service.Set(columns[i], view.Lanes[outputs[i]]);
        }
    }

    private int FindDirectColumn()
    {
        if (outputs.Length != Program.Outputs.Count)
            return -1;
        for (var i = 0; i < outputs.Length; i++)
        {
            if (outputs[i] != i || columns[i] != columns[0] + i)
                return -1;
        }

        return columns[0];
    }
}
