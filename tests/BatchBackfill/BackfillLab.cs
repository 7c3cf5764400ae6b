using System.Buffers;
using StreamMl.Infrastructure.Archive;
using StreamMl.Infrastructure.Avro;
using StreamMl.Infrastructure.Tables;
using StreamMl.Shared.Definitions;
using StreamMl.Shared.Events;
using StreamMl.Shared.Log;
using StreamMl.Shared.Time;

namespace StreamMl.BatchBackfill.Tests;

/// <summary>An event of the lab's one kind.</summary>
internal sealed record LabEvent(long ArrivalUs, long EventUs, string Id, string Origin, string? Dest, double? Delay, string? Note);

/// <summary>An event in a log. Undecodable ones and dead letters are there too.</summary>
internal sealed record LabRecord(PartitionId Log, long Offset, LabEvent Event, int SourcePartition = -1, long SourceOffset = -1, bool IsBroken = false);

/// <summary>A catalogue, a directory with an archive, and logs written event by event.</summary>
internal sealed class BackfillLab : IDisposable
{
    public const long Hour = TimeGrid.MicrosPerHour;
    public const long Start = 1_357_000_000_000_000 / (24 * Hour) * (24 * Hour);

    public const string Avro =
        """
        {"type":"record","name":"E","fields":[
          {"name":"event_time","type":{"type":"long","logicalType":"timestamp-micros"}},
          {"name":"id","type":"string"},{"name":"origin","type":"string"},
          {"name":"dest","type":["null","string"],"default":null},
          {"name":"delay","type":["null","double"],"default":null},
          {"name":"note","type":["null","string"],"default":null}]}
        """;

    private static readonly AvroEncoder Encoder = new(Avro);

    public BackfillLab(int partitions = 2, TimeSpan servingDelay = default)
    {
        Directory = System.IO.Directory.CreateTempSubdirectory("streamml-backfill-").FullName;
        Layout = new ArchiveLayout(Archive);
        Layout.SaveSchema(7, Avro);
        SourceDefinition Source(string name) => new()
        {
            Name = name,
            Topic = name,
            AvroSchema = Avro,
            Schema = AvroSchemaReader.ReadEventSchema(Avro),
            EventTimeField = "event_time",
            KeyFields = ["origin"],
            Partitions = partitions,
            MaxFutureSkew = TimeSpan.FromHours(1),
        };
        ViewDefinition View(string name, string entity, string[] keys, string? filter = null) => new()
        {
            Name = name,
            Source = "landings",
            Entity = entity,
            KeyFields = keys,
            Filter = filter,
            AllowedLateness = TimeSpan.FromMinutes(10),
            Features = [.. Naive.Features],
        };
        var notes = new ViewDefinition
        {
            Name = "notes",
            Source = "landings",
            Entity = "origin",
            KeyFields = ["origin"],
            Derive = [new DerivedColumn("late", "delay > 15")],
            Features =
            [
                new FeatureDefinition("last_note", new Aggregation("last", "note"), new LifetimeWindow()),
                new FeatureDefinition("mean_late_1h", new Aggregation("mean", "late"), new TrailingWindow(TimeSpan.FromHours(1))),
            ],
        };
        ViewDefinition[] views = [View("by_origin", "origin", ["origin"]), View("by_dest", "dest", ["dest"], "delay > 0"), View("by_all", "all", []), notes];
        Catalog = new Catalog(
            "lab",
            [Source("landings"), Source("schedules")],
            [new EntityDefinition("origin", ["origin"]), new EntityDefinition("dest", ["dest"]), new EntityDefinition("all", [])],
            views,
            [
                new ServiceDefinition
                {
                    Name = "delays", Trigger = "schedules", ServingDelay = servingDelay,
                    Features = [.. views.SelectMany(v => v.Features.Select(f => new FeatureReference(v.Name, f.Name)))],
                },
            ]);
    }

    public string Directory { get; }

    public string Archive => Path.Combine(Directory, "archive");

    public ArchiveLayout Layout { get; }

    public Catalog Catalog { get; }

    public int Partitions => Catalog.Sources[0].Partitions;

    public string At(string name) => Path.Combine(Directory, name);

    public void Dispose() => System.IO.Directory.Delete(Directory, recursive: true);

    /// <summary>Appends events to a source's topic as a producer would, in the given order; returns its records.</summary>
    public IReadOnlyList<LabRecord> Produce(string topic, IReadOnlyList<LabEvent> events)
    {
        var next = new long[Partitions];
        var records = events.Select(e =>
        {
            var partition = KeyPartitioner.PartitionOf(EntityKey.FromTexts([e.Origin]), Partitions);
            return new LabRecord(new PartitionId(topic, partition), next[partition]++, e, IsBroken: e.Id.StartsWith("broken", StringComparison.Ordinal));
        }).ToList();
        Write(topic, records);
        return records;
    }

    /// <summary>What a repartitioner makes of a source's records: partition after partition in turns, each sent twice now and then.</summary>
    public IReadOnlyList<LabRecord> Repartition(string log, IReadOnlyList<LabRecord> source, Func<LabEvent, string?> key, Random random)
    {
        var queues = source.GroupBy(r => r.Log.Partition).Select(g => new Queue<LabRecord>(g)).ToList();
        var next = new long[Partitions];
        var clocks = new Dictionary<int, long>();
        var records = new List<LabRecord>();
        while (queues.Exists(q => q.Count > 0))
        {
            var queue = queues.Where(q => q.Count > 0).ElementAt(random.Next(queues.Count(q => q.Count > 0)));
            var record = queue.Dequeue();
            var clock = clocks[record.Log.Partition] = Math.Max(clocks.GetValueOrDefault(record.Log.Partition, long.MinValue), record.Event.ArrivalUs);
            if (record.IsBroken || Naive.IsDeadLetter(record.Event) || key(record.Event) is not { } text)
                continue;
            var partition = KeyPartitioner.PartitionOf(EntityKey.FromTexts(text.Length == 0 ? [] : [text]), Partitions);
            for (var copies = random.Next(5) == 0 ? 2 : 1; copies > 0; copies--)
                records.Add(new LabRecord(new PartitionId(log, partition), next[partition]++, record.Event with { ArrivalUs = clock }, record.Log.Partition, record.Offset));
        }

        Write(log, records, text: key);
        return records;
    }

    public static byte[] Encode(LabEvent e)
    {
        var values = Encoder.NewValues();
        object?[] cells = [TimeGrid.ToDateTime(e.EventUs), e.Id, e.Origin, e.Dest, e.Delay, e.Note];
        for (var i = 0; i < cells.Length; i++)
            Encoder.TrySet(i, cells[i], values, out var error).ShouldBeTrue(error);
        var output = new ArrayBufferWriter<byte>();
        Encoder.TryWrite(values, 7, output, out var problem).ShouldBeTrue(problem);
        return output.WrittenSpan.ToArray();
    }

    /// <summary>The rows of a training set or any other table, as boxed values by column.</summary>
    public static List<Dictionary<string, object?>> Rows(string pathOrDirectory)
    {
        var rows = new List<Dictionary<string, object?>>();
        var files = System.IO.Directory.Exists(pathOrDirectory) ? System.IO.Directory.GetFiles(pathOrDirectory, "part-*.arrow").Order(StringComparer.Ordinal) : (IEnumerable<string>)[pathOrDirectory];
        foreach (var file in files)
        {
            using var reader = TableReader.Open(file);
            var batch = new EventBatch(reader.Schema, 1);
            while (reader.Read(batch, 1000))
            {
                for (var row = 0; row < batch.Count; row++)
                    rows.Add(reader.Schema.Fields.ToDictionary(f => f.Name, f => Cell(batch, f, row), StringComparer.Ordinal));
            }
        }

        return rows;
    }

    public void WriteSpine(string path, IEnumerable<(long TimeUs, string? Origin, string? Dest)> rows) =>
        File.WriteAllLines(path, ["time,origin,dest,label", .. rows.Select((r, i) => $"{TimeGrid.Format(r.TimeUs)},{r.Origin},{r.Dest},{i % 2}")]);

    private static object? Cell(EventBatch batch, EventField field, int row)
    {
        var column = batch.Column(field.Name);
        if (column.Valid[row] == 0)
            return null;
        return field.Type switch
        {
            FieldType.Float64 => column.Doubles[row],
            FieldType.String => batch.Arena.GetString(column.Lanes[row]),
            FieldType.Boolean => column.Lanes[row] != 0,
            _ => column.Lanes[row],
        };
    }

    private void Write(string log, IReadOnlyList<LabRecord> records, Func<LabEvent, string?>? text = null)
    {
        Layout.SetPartitions(log, Partitions);
        foreach (var partition in records.GroupBy(r => r.Log))
        {
            using var writer = new ArchivePartitionWriter(Layout, partition.Key, new ArchiveRollOptions { BatchRecords = 13, MaxRecords = 50 });
            foreach (var record in partition)
            {
                var key = text is null ? EntityKey.FromTexts([record.Event.Origin]) : EntityKey.FromTexts(text(record.Event) is { Length: > 0 } k ? [k] : []);
                writer.Append(record.Offset, record.Event.ArrivalUs, key, true, record.IsBroken ? [1, 2, 3] : Encode(record.Event), true, record.SourcePartition, record.SourceOffset);
                if (writer.IsFull)
                    writer.Roll();
            }

            writer.Roll();
        }
    }
}
