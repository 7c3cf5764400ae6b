using System.Text;
using StreamMl.Infrastructure.Archive;
using StreamMl.Infrastructure.Tables;
using StreamMl.OnlineScorer.Reading;
using StreamMl.Shared.Events;
using StreamMl.Shared.Log;

namespace StreamMl.OnlineScorer.Triggers;

/// <summary>Keeps every served vector, for <c>streamml parity</c>. A file is complete at every flush.</summary>
internal sealed class ServedVectorSink : ITriggerSink
{
    private readonly ServedService service;
    private readonly ServedVectorWriter writer;
    private readonly Dictionary<int, long> durable;
    private readonly string?[] keys;
    private readonly ServedPosition[] positions;

    public ServedVectorSink(ServedService service, string directory, string writerName)
    {
        this.service = service;
        keys = new string?[service.Program.Keys.Count];
        positions = new ServedPosition[service.Views.Count];
        durable = LastFile(Path.Combine(ServedVectorSchema.DirectoryOf(directory, service.Program.Name)), writerName);
        // Only a flush completes a file, so that the last file is the only one that the store may not know of.
        writer = new ServedVectorWriter(directory, SchemaOf(service), writerName, int.MaxValue);
    }

    public string Name => "vectors";

    public static ServedVectorSchema SchemaOf(ServedService service) => new(
        service.Program.Name, service.Program.Hash, [.. service.Program.Keys.Select(k => k.Name)], [.. service.Views.Select(v => v.Name)], service.Program.Columns);

    public long Assigned(PartitionId partition, long nextOffset) => Math.Max(nextOffset, durable.GetValueOrDefault(partition.Partition));

    public Task WriteAsync(ServedBatch batch, IReadOnlyList<int> requests, CancellationToken cancellationToken)
    {
        foreach (var request in requests)
            Append(batch, request);
        return Task.CompletedTask;
    }

    public Task FlushAsync(CancellationToken cancellationToken)
    {
        writer.Roll();
        return Task.CompletedTask;
    }

    public ValueTask DisposeAsync()
    {
        writer.Dispose();
        return ValueTask.CompletedTask;
    }

    private void Append(ServedBatch batch, int request)
    {
        for (var slot = 0; slot < keys.Length; slot++)
            keys[slot] = batch.Read.TryGetKey(request, slot, out var text) ? Encoding.UTF8.GetString(text) : null;
        for (var view = 0; view < positions.Length; view++)
        {
            ref readonly var answer = ref batch.Read.Answer(request, view);
            positions[view] = answer.Partition == ViewAnswer.NoPartition ? ServedPosition.NotRead : new(answer.Partition, answer.NextOffset, answer.WatermarkUs);
        }

        var trigger = batch.Triggers[request];
        writer.Append(batch.Read.AsOfUs(request), (trigger.Partition.Partition, trigger.Offset), keys, positions, batch.Read.Row(request));
    }

    /// <summary>A file may be complete although the store was never told: the process died in between. What it holds is not served again.</summary>
    private static Dictionary<int, long> LastFile(string directory, string writerName)
    {
        var next = new Dictionary<int, long>();
        var last = Directory.Exists(directory) ? Directory.EnumerateFiles(directory, $"{writerName}-*.arrow").Order(StringComparer.Ordinal).LastOrDefault() : null;
        if (last is null)
            return next;
        using var reader = new ArrowTableReader(last);
        var batch = new EventBatch(reader.Schema);
        while (reader.Read(batch, 4096))
        {
            var (partitions, offsets) = (batch.Column(ServedVectorSchema.TriggerPartition), batch.Column(ServedVectorSchema.TriggerOffset));
            for (var row = 0; row < batch.Count; row++)
            {
                if (offsets.Valid[row] != 0)
                    next[(int)partitions.Lanes[row]] = Math.Max(next.GetValueOrDefault((int)partitions.Lanes[row]), offsets.Lanes[row] + 1);
            }
        }

        return next;
    }
}
