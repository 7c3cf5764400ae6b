using StreamMl.Infrastructure.Kafka;

namespace StreamMl.Integration.Tests.Chaos.Flow;

/// <summary>
/// Sends the stream at its pace up to a mark that the run moves on, in order and without gaps: the producer is idempotent and never gives a record up,
/// also while the broker is away. <see cref="Delivered"/> may be read from any thread.
/// </summary>
internal sealed class PurchaseFlow : IAsyncDisposable
{
    private const int TickMs = 10;

    private static readonly KafkaProducerOptions WithoutGaps = new()
    {
        ClientSettings = new Dictionary<string, string>(StringComparer.Ordinal) { ["message.timeout.ms"] = "0", ["enable.gapless.guarantee"] = "true" },
    };

    private readonly ChaosOptions options;
    private readonly PurchaseStream stream;
    private readonly RecordProducer producer;
    private readonly CancellationTokenSource stop;
    private readonly Task running;
    private int mark;

    public PurchaseFlow(ChaosOptions options, PurchaseStream stream, KafkaEndpoint kafka, CancellationToken cancellationToken)
    {
        (this.options, this.stream) = (options, stream);
        producer = new KafkaProducerFactory(kafka).Create(WithoutGaps);
        stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        running = Task.Run(RunAsync, CancellationToken.None);
    }

    /// <summary>Records that the broker has acknowledged.</summary>
    public long Delivered => producer.DeliveredEnds.Values.Sum();

    /// <summary>The producer may go on to here.</summary>
    public void AllowUpTo(int events) => Volatile.Write(ref mark, events);

    /// <summary>Ends early only with an error.</summary>
    public void ThrowIfFailed()
    {
        if (running.IsFaulted)
            running.GetAwaiter().GetResult();
    }

    /// <summary>All events are sent and acknowledged.</summary>
    public async Task FinishAsync()
    {
        AllowUpTo(options.Events);
        await running;
        await producer.FlushAsync(stop.Token);
    }

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        await running.ContinueWith(_ => { }, TaskScheduler.Default);
        await producer.DisposeAsync();
        stop.Dispose();
    }

    private async Task RunAsync()
    {
        using var pace = new PeriodicTimer(TimeSpan.FromMilliseconds(TickMs), TimeProvider.System);
        var perTick = Math.Max(1, options.EventsPerSecond * TickMs / 1000);
        for (var sent = 0; sent < options.Events && await pace.WaitForNextTickAsync(stop.Token);)
        {
            for (var end = Math.Min(Volatile.Read(ref mark), sent + perTick); sent < end; sent++)
            {
                var record = stream[sent];
                await producer.SendAsync(ChaosCatalog.Topic, record.Key, record.Value, record.ArrivalUs, null, stop.Token);
            }
        }
    }
}
