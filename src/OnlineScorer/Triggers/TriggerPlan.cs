using System.Globalization;
using StreamMl.OnlineScorer.Reading;
using StreamMl.Shared.Definitions;
using StreamMl.Shared.Events;
using StreamMl.Shared.Log;

namespace StreamMl.OnlineScorer.Triggers;

/// <summary>How a service reads its trigger: the source, the fields that are decoded, where the keys are in them. Immutable; thread-safe.</summary>
internal sealed class TriggerPlan
{
    private readonly int[] keyColumns;

    private TriggerPlan(ServedService service, SourceDefinition source, EventSchema schema, int[] keyColumns)
    {
        Service = service;
        Source = source;
        Schema = schema;
        this.keyColumns = keyColumns;
    }

    public ServedService Service { get; }

    public SourceDefinition Source { get; }

    /// <summary>The trigger's fields that are decoded.</summary>
    public EventSchema Schema { get; }

    public string Name => Service.Program.Name;

    public string GroupId => $"streamml.service.{Name}";

    /// <summary>Whether a server of the other plan does what one of this does.</summary>
    public bool IsSame(TriggerPlan other) =>
        Name == other.Name && Service.Program.Hash == other.Service.Program.Hash && Source.Name == other.Source.Name && Source.Topic == other.Source.Topic
        && Source.Partitions == other.Source.Partitions && Source.AvroSchema == other.Source.AvroSchema && Source.EventTimeField == other.Source.EventTimeField
        && Source.MaxFutureSkew == other.Source.MaxFutureSkew && Source.KeyFields.SequenceEqual(other.Source.KeyFields, StringComparer.Ordinal);

    /// <param name="catalog">Has the service and its trigger.</param>
    /// <param name="name">Of a service with a trigger.</param>
    /// <param name="moreFields">Trigger fields that a sink needs beside the keys.</param>
    /// <exception cref="ArgumentException">The service has no trigger, or the trigger lacks one of its keys.</exception>
    public static TriggerPlan Compile(Catalog catalog, string name, IReadOnlySet<string>? moreFields = null)
    {
        var definition = catalog.Service(name);
        if (definition.Trigger is null)
            throw new ArgumentException($"service '{name}' has no trigger: it is read by request. Name a source as its trigger to serve events", nameof(name));
        var source = catalog.Source(definition.Trigger);
        var service = ServedService.Compile(catalog, definition);
        var keys = service.Program.Keys;
        if (keys.FirstOrDefault(k => source.Schema.Find(k.Name) is null) is { } missing)
        {
            throw new ArgumentException(
                $"service '{name}' needs key '{missing.Name}', which its trigger '{source.Name}' does not have; it has {string.Join(", ", source.Schema.Fields.Select(f => f.Name))}. "
                + "Name the entity's key like the trigger's field, or leave out the views that need it",
                nameof(name));
        }

        var schema = source.Schema.Project(keys.Select(k => k.Name).Concat(moreFields ?? new HashSet<string>()).ToHashSet(StringComparer.Ordinal));
        return new TriggerPlan(service, source, schema, [.. keys.Select(k => schema.IndexOf(k.Name))]);
    }

    public string PositionKey(PartitionId partition) => LogNames.ServicePositionKey(partition, Name);

    public string SinkPositionKey(PartitionId partition, string sink) => LogNames.ServicePositionKey(partition, $"{Name}.{sink}");

    /// <summary>Copies the keys of a decoded row into a request, as the canonical texts that the stream writes.</summary>
    public void SetKeys(ServedBatch batch, int request, int row)
    {
        Span<byte> digits = stackalloc byte[20];
        for (var slot = 0; slot < keyColumns.Length; slot++)
        {
            var column = batch.Events.Columns[keyColumns[slot]];
            if (column.Valid[row] == 0)
                continue;
            var lane = column.Lanes[row];
            switch (column.Type)
            {
                case FieldType.String:
                    batch.Read.SetKey(request, slot, batch.Events.Arena.Slice(lane));
                    break;
                case FieldType.Boolean:
                    batch.Read.SetKey(request, slot, lane != 0 ? "true"u8 : "false"u8);
                    break;
                case FieldType.Int64 or FieldType.Timestamp:
                    lane.TryFormat(digits, out var written, default, CultureInfo.InvariantCulture);
                    batch.Read.SetKey(request, slot, digits[..written]);
                    break;
                default:
                    throw new InvalidOperationException($"a {column.Type} field cannot be an entity key; use a string or an integer");
            }
        }
    }
}
