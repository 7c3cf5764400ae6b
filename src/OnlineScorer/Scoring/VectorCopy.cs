using StreamMl.Shared.Events;
using StreamMl.Shared.Features;

namespace StreamMl.OnlineScorer.Scoring;

/// <summary>Copies single values into a vector. Pure.</summary>
internal static class VectorCopy
{
    public static void Cell(EventBatch table, int column, int row, FeatureRow vector, int into)
    {
        var from = table.ColumnSpan[column];
        if (from.Valid[row] == 0)
            vector.SetNull(into);
        else if (from.Type == FieldType.String)
            vector.Set(into, table.Arena.Slice(from.Lanes[row]));
        else
            vector.Set(into, from.Lanes[row]);
    }

    public static void Value(FeatureRow stored, int column, FieldType type, FeatureRow vector, int into)
    {
        if (stored.Valid[column] == 0)
            vector.SetNull(into);
        else if (type == FieldType.String)
            vector.Set(into, stored.Arena.Slice(stored.Lanes[column]));
        else
            vector.Set(into, stored.Lanes[column]);
    }
}
