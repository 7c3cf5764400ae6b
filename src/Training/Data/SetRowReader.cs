using StreamMl.ModelEngine;
using StreamMl.Shared.Events;
using StreamMl.Shared.Features;

namespace StreamMl.Training.Data;

/// <summary>Fills a row of model inputs from the set, by row number. Allocates nothing per row. Not thread-safe: one per cursor.</summary>
internal sealed class SetRowReader(TrainingSet set, IReadOnlyList<ModelInput> inputs)
{
    private readonly int[] columns = [.. inputs.Select(i => set.RequireColumn(i.Name, "a model input"))];
    private SetChunk? chunk;

    public FeatureRow Row { get; } = new(inputs.Count);

    public void Read(int row)
    {
        chunk = set.ChunkOf(row, chunk);
        var at = row - chunk.FirstRow;
        var cells = chunk.Columns;
        Row.Arena.Clear();
        for (var i = 0; i < columns.Length; i++)
        {
            ref readonly var cell = ref cells[columns[i]];
            if (!cell.IsValid(at))
                Row.SetNull(i);
            else if (cell.Type == FieldType.String)
                Row.Set(i, cell.Text(at));
            else
                Row.Set(i, cell.Lane(at));
        }
    }
}
