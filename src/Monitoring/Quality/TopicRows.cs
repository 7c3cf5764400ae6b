using StreamMl.Infrastructure.Avro;
using StreamMl.Infrastructure.Kafka;
using StreamMl.Shared.Definitions;
using StreamMl.Shared.Events;

namespace StreamMl.Monitoring.Quality;

/// <summary>The decoded records of one topic, one at a time. What cannot be decoded is the dead-letter topic's affair and is passed over, counted. Not thread-safe.</summary>
internal sealed class TopicRows : IDisposable
{
    private readonly EventDecoderSet decoders;
    private readonly EventBatch row;

    public TopicRows(SourceDefinition source, Func<int, CancellationToken, ValueTask<string>> schemaOf, EventSchema? schema = null)
    {
        decoders = new EventDecoderSet(source, schema ?? source.Schema, schemaOf);
        row = new EventBatch(schema ?? source.Schema, 1);
    }

    /// <summary>Records that could not be decoded.</summary>
    public long Undecodable { get; private set; }

    public void Read(RawRecordBatch batch, RecordRun run, Action<Func<CancellationToken, ValueTask>> prepare, Action<EventBatch, int> add)
    {
        for (var i = run.First; i < run.First + run.Count; i++)
        {
            row.Clear();
            row.NextRow();
            DecodeStatus status;
            while ((status = decoders.Decode(batch.Value(i), row, 0, out row.EventTimesUs[0], out var schemaId, out _)) == DecodeStatus.SchemaMissing)
                prepare(token => decoders.PrepareAsync(schemaId, token));
            if (status != DecodeStatus.Decoded)
            {
                Undecodable++;
                continue;
            }

            row.Count = 1;
            add(row, 0);
        }
    }

    public void Dispose() => decoders.Dispose();
}
