using StreamMl.BatchBackfill.PointInTime;
using StreamMl.FeatureEngine.Services;
using StreamMl.Infrastructure.Archive;
using StreamMl.Shared.Events;

namespace StreamMl.BatchBackfill.Spines;

/// <summary>The prefixes that a service's answers to triggers reported, by trigger event. Where an event was answered more than once, the first answer counts.</summary>
internal sealed class ServedPrefixes : IServedPrefixes
{
    private readonly Dictionary<(long Partition, long Offset), int> answers = [];
    private readonly Dictionary<string, int> views;
    private readonly List<(int Partition, long NextOffset)> positions = [];
    private readonly TriggerColumns trigger;

    private ServedPrefixes(ServedVectorSchema schema, TriggerColumns trigger)
    {
        this.trigger = trigger;
        views = schema.Views.Select((v, i) => (v, i)).ToDictionary(p => p.v, p => p.i, StringComparer.Ordinal);
    }

    public bool OnlyServed => false;

    public static ServedVectorSchema SchemaOf(ServiceProgram service) =>
        new(service.Name, service.Hash, [.. service.Keys.Select(k => k.Name)], [.. service.Views.Select(v => v.Name)], service.Columns);

    public static ServedPrefixes Read(string directory, ServiceProgram service, TriggerColumns trigger)
    {
        var schema = SchemaOf(service);
        var served = new ServedPrefixes(schema, trigger);
        using var reader = new ServedVectorReader(directory, schema);
        var batch = new EventBatch(reader.Table, 1);
        while (reader.Read(batch, 8192))
        {
            for (var row = 0; row < batch.Count; row++)
                served.Add(batch, row, schema);
        }

        return served;
    }

    public (int Partition, long NextOffset)? Find(EventBatch spine, int row, string view)
    {
        var key = (spine.Columns[trigger.Partition].Lanes[row], spine.Columns[trigger.Offset].Lanes[row]);
        if (!answers.TryGetValue(key, out var answer))
            return null;
        var position = positions[(answer * views.Count) + views[view]];
        return position.Partition < 0 ? null : position;
    }

    private void Add(EventBatch batch, int row, ServedVectorSchema schema)
    {
        if (batch.Columns[1].Valid[row] == 0 || !answers.TryAdd((batch.Columns[1].Lanes[row], batch.Columns[2].Lanes[row]), answers.Count))
            return;
        for (var v = 0; v < schema.Views.Count; v++)
        {
            var column = schema.FirstView + (3 * v);
            positions.Add(batch.Columns[column].Valid[row] == 0
                ? (-1, 0)
                : ((int)batch.Columns[column].Lanes[row], batch.Columns[column + 1].Lanes[row]));
        }
    }
}
