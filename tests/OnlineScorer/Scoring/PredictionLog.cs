using StreamMl.Infrastructure.Avro;
using StreamMl.Infrastructure.Predictions;
using StreamMl.OnlineScorer.Scoring;

namespace StreamMl.OnlineScorer.Tests.Scoring;

/// <summary>A predictions topic in memory: what is sent is seen after the flush, or partly after a crash, as a test says. Outlives the sinks that write to it.</summary>
internal sealed class PredictionLog
{
    private readonly Dictionary<string, int> ids = new(StringComparer.Ordinal);
    private readonly List<string> schemas = [];

    public List<(int Partition, byte[] Value, Prediction Prediction)> Durable { get; } = [];

    public List<FailedEvent> DeadLetters { get; } = [];

    public ValueTask<int> RegisterAsync(string schema, CancellationToken cancellationToken)
    {
        if (!ids.TryGetValue(schema, out var id))
        {
            schemas.Add(schema);
            ids.Add(schema, id = schemas.Count);
        }

        return ValueTask.FromResult(id);
    }

    public Output Open() => new(this);

    private Prediction Read(byte[] value) => ConfluentWire.TryReadSchemaId(value, out var id, out _)
        ? new PredictionReader(schemas[id - 1]).Read(value)
        : throw new InvalidDataException(ConfluentWire.Explain(value));

    internal sealed class Output(PredictionLog log) : IPredictionOutput
    {
        private readonly List<Action> pending = [];

        public int Pending => pending.Count;

        public WrittenPredictions ReadBack(int partition, long fromTriggerOffset)
        {
            var predicted = new Dictionary<string, long>(StringComparer.Ordinal);
            foreach (var (_, _, p) in log.Durable.Where(d => d.Partition == partition))
            {
                var variant = PredictionSink.VariantOf(p.Id.Model.Name, p.Variant);
                predicted[variant] = Math.Max(p.Id.Offset, predicted.GetValueOrDefault(variant, -1));
            }

            return new WrittenPredictions(predicted, log.DeadLetters.Where(d => d.Partition == partition).Select(d => (d.Variant, d.Offset)).ToHashSet());
        }

        public ValueTask SendAsync(int partition, ReadOnlyMemory<byte>? key, ReadOnlyMemory<byte> value, long timestampUs, CancellationToken cancellationToken)
        {
            var kept = value.ToArray();
            pending.Add(() => log.Durable.Add((partition, kept, log.Read(kept))));
            return ValueTask.CompletedTask;
        }

        public ValueTask SendDeadLetterAsync(FailedEvent failed, CancellationToken cancellationToken)
        {
            pending.Add(() => log.DeadLetters.Add(failed));
            return ValueTask.CompletedTask;
        }

        public Task FlushAsync(CancellationToken cancellationToken)
        {
            Arrive(pending.Count);
            return Task.CompletedTask;
        }

        /// <summary>So many of the oldest reach the topic.</summary>
        public void Arrive(int count)
        {
            pending.Take(count).ToList().ForEach(p => p());
            pending.RemoveRange(0, count);
        }

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
