using Confluent.Kafka;
using StreamMl.Shared.Log;

namespace StreamMl.Infrastructure.Kafka;

/// <summary>
/// Sends raw records in transactions under one transactional id. The last producer that was initialised under an id is the only one that can commit. One call
/// at a time; a producer whose transaction was lost is thrown away, and the next one under the id takes over.
/// </summary>
public sealed class TransactionalProducer : IDisposable
{
    /// <summary>How long one call of the client may last before it is made again, which goes on with the first one's work.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    /// <summary>When a call is given up: a new client under the id learns what became of the transaction.</summary>
    private static readonly TimeSpan CallMax = TimeSpan.FromSeconds(30);

    private static readonly TimeSpan OpenMax = TimeSpan.FromMinutes(1);

    private readonly IProducer<byte[]?, byte[]?> client;
    private readonly RecordProducer records;
    private Task running = Task.CompletedTask;
    private string? lost;

    /// <param name="endpoint">A real Kafka: the embedded one does not isolate transactions.</param>
    /// <param name="transactionalId">Whoever initialises under the same id fences this one.</param>
    public TransactionalProducer(KafkaEndpoint endpoint, string transactionalId)
    {
        if (endpoint.IsEmbedded)
            throw new NotSupportedException($"{endpoint} does not isolate transactions: send without them there");
        var options = new KafkaProducerOptions
        {
            InFlightMaxBytes = 8 << 20,
            DeliveryTimeoutMs = (int)OpenMax.TotalMilliseconds,
            ClientSettings = new Dictionary<string, string>(StringComparer.Ordinal)
            {
                ["transactional.id"] = transactionalId,
                // See OnLog.
                ["log_level"] = "6",
                ["log.connection.close"] = "true",
                ["transaction.timeout.ms"] = ((int)OpenMax.TotalMilliseconds).ToString(),
            },
        };
        client = new KafkaProducerFactory(endpoint).CreateClient(options, OnLog);
        records = new RecordProducer(endpoint, client, options);
    }

    /// <summary>A connection broke since <see cref="InitAsync"/>: if the broker went with it, a transaction that was committed may have lost its markers.</summary>
    public bool HasLostBroker => lost is not null;

    /// <summary>From now on older producers of the id can commit nothing, and what they had under way is committed or aborted. Gives up after 30 s.</summary>
    /// <exception cref="TransactionLostException">A younger producer was faster, or the broker did not answer in time.</exception>
    public async Task InitAsync(CancellationToken cancellationToken)
    {
        await BoundedAsync(() => client.InitTransactions(Patience), CallMax, cancellationToken);
        lost = null;
    }

    /// <exception cref="TransactionLostException">This producer can not go on.</exception>
    public void Begin() => Translate(client.BeginTransaction);

    /// <summary>As <see cref="RecordProducer.SendAsync(PartitionId, byte[], byte[], long, Headers, IDeliveryListener, CancellationToken)"/>.</summary>
    /// <exception cref="TransactionLostException">This producer can not go on.</exception>
    public async ValueTask SendAsync(
        PartitionId target, byte[]? key, byte[]? value, long timestampUs, Headers? headers, IDeliveryListener? listener, CancellationToken cancellationToken)
    {
        try
        {
            await records.SendAsync(target, key, value, timestampUs, headers, listener, cancellationToken);
        }
        catch (KafkaException e) when (!IsForGood(e.Error))
        {
            throw new TransactionLostException(e);
        }
    }

    /// <summary>Commits the open transaction; it is committed when this returns.</summary>
    /// <exception cref="TransactionLostException">
    /// It was aborted, a younger producer of the id has decided on it, a broker was lost meanwhile, or did not answer in time: what became of it, the next producer learns.
    /// </exception>
    public async Task CommitAsync(CancellationToken cancellationToken)
    {
        if (lost is { } reason)
            throw new TransactionLostException(new KafkaException(new Error(ErrorCode.Local_Transport, $"a broker was lost while it was open, another client takes over: {reason}")));
        await BoundedAsync(() => client.CommitTransaction(Patience), CallMax, cancellationToken);
    }

    /// <summary>A transaction that is open stays so until a producer takes the id over, or a minute has passed.</summary>
    public void Dispose()
    {
        // The client must not be freed under a call that has not returned yet.
        _ = running.ContinueWith(static (_, state) => ((IDisposable)state!).Dispose(), new Both(client, records), TaskScheduler.Default);
    }

    /// <summary>Whether sending the record again would fail again.</summary>
    public static bool IsForGood(Error error) => error.Code is ErrorCode.MsgSizeTooLarge or ErrorCode.RecordListTooLarge or ErrorCode.InvalidMsg or ErrorCode.TopicAuthorizationFailed
        or ErrorCode.ClusterAuthorizationFailed or ErrorCode.TransactionalIdAuthorizationFailed or ErrorCode.GroupAuthorizationFailed or ErrorCode.InvalidTransactionTimeout;

    // A connection that breaks is no error to librdkafka, which opens another, and is told in its log alone. Only of one that had been up: not every address of a name is listened on.
    private void OnLog(LogMessage message)
    {
        if (message.Facility == "FAIL" && message.Message.Contains("in state UP", StringComparison.Ordinal))
            lost = message.Message;
    }

    private async Task BoundedAsync(Action call, TimeSpan max, CancellationToken cancellationToken)
    {
        using var leave = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        await UnreturnedCall.LeaveAsync(RunAsync(call, leave.Token), leave, max, TimeProvider.System);
    }

    // The client blocks the thread that calls it, for as long as a broker is away: so none of the pool's.
    private Task RunAsync(Action call, CancellationToken cancellationToken)
    {
        running = Task.Factory.StartNew(() => Repeat(call, cancellationToken), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        return running.WaitAsync(cancellationToken);
    }

    private static void Repeat(Action call, CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                Translate(call);
                return;
            }
            catch (KafkaRetriableException)
            {
                cancellationToken.ThrowIfCancellationRequested();
            }
        }
    }

    private static void Translate(Action call)
    {
        try
        {
            call();
        }
        catch (KafkaException e) when (e is not KafkaRetriableException && !IsForGood(e.Error))
        {
            throw new TransactionLostException(e);
        }
    }

    private sealed class Both(IDisposable client, RecordProducer records) : IDisposable
    {
        public void Dispose()
        {
            client.Dispose();
            records.Abandon();
        }
    }
}

/// <summary>The transaction is aborted, or a younger producer of the same id has decided on it: what was sent in it must be looked at, or sent again, by a new producer.</summary>
public sealed class TransactionLostException(KafkaException inner) : Exception($"a transaction was lost: {inner.Message}", inner);
