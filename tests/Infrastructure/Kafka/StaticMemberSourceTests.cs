using Confluent.Kafka;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using StreamMl.Infrastructure.Kafka;
using StreamMl.Shared;
using StreamMl.Shared.Log;

namespace StreamMl.Infrastructure.Tests.Kafka;

/// <summary>A worker that was killed and comes back under its name before the broker has let it go.</summary>
public sealed class StaticMemberSourceTests : IDisposable
{
    private static readonly TimeSpan Session = TimeSpan.FromSeconds(45);
    private readonly FakeTimeProvider time = new();
    private readonly KeptLog log = new();
    private readonly RawRecordBatch batch = new();
    private readonly List<Client> clients = [];
    private readonly NoPartitions handler = new();

    public void Dispose() => batch.Dispose();

    [Fact]
    public void Read_NameIsHeldAfterAKill_IsMadeAnewUntilTheBrokerLetsItGoAndSaysSoOnce()
    {
        using var source = Member(refusals: 3);
        Step(source, seconds: 6);

        clients.Count.ShouldBe(4);
        clients.SkipLast(1).ShouldAllBe(c => c.Disposed);
        clients.ShouldAllBe(c => c.Subscribed == "t" && c.Handler == handler);
        source.Assignment.ShouldBe([new PartitionId("t", 0)]);
        log.Lines.Count.ShouldBe(2);
        log.Lines[0].ShouldContain("'a' is a member of group 'g' still");
        log.Lines[0].ShouldContain("until the session timeout, 45 s (group.consumer.session.timeout.ms)");
        log.Lines[1].ShouldContain("has joined");
    }

    [Fact]
    public void Read_NameIsNeverLetGo_EndsWithTheRemedyAMinuteBeyondTheSessionTimeout()
    {
        using var source = Member(refusals: int.MaxValue);
        var start = time.GetUtcNow();
        var error = Should.Throw<SetupException>(() => Step(source, seconds: 1_000));

        (time.GetUtcNow() - start).ShouldBeInRange(Session + StaticMemberSource.Grace, Session + StaticMemberSource.Grace + TimeSpan.FromSeconds(3));
        error.Message.ShouldContain("two workers with one name?");
        error.Message.ShouldContain("Features__GroupInstanceId");
        clients.ShouldAllBe(c => c.Disposed);
        log.Lines.ShouldHaveSingleItem();
    }

    [Fact]
    public void Read_RefusedAgainAfterALongLife_WaitsAnew()
    {
        using var source = Member(refusals: 1);
        Step(source, seconds: 3);
        time.Advance(TimeSpan.FromHours(1));
        clients[^1].Refuses = true;

        Step(source, seconds: 3);

        clients.Count.ShouldBe(3);
        source.Assignment.Count.ShouldBe(1);
        log.Lines.Count(l => l.Contains("still", StringComparison.Ordinal)).ShouldBe(2);
    }

    [Fact]
    public void Read_OtherFatalError_IsNotWaitedFor()
    {
        using var source = Member(refusals: 0);
        clients[0].Error = ErrorCode.TopicAuthorizationFailed;
        Should.Throw<KafkaException>(() => source.TryReadBatch(batch, TimeSpan.Zero)).Error.Code.ShouldBe(ErrorCode.TopicAuthorizationFailed);
    }

    [Fact]
    public void Read_AnotherWorkerTookTheNameByTheClassicProtocol_EndsWithTheRemedy()
    {
        using var source = Member(refusals: 0);
        clients[0].Error = ErrorCode.FencedInstanceId;
        Should.Throw<SetupException>(() => source.TryReadBatch(batch, TimeSpan.Zero)).Message.ShouldContain("two workers with one name?");
    }

    private StaticMemberSource Member(int refusals)
    {
        var source = new StaticMemberSource(
            () =>
            {
                clients.Add(new Client { Refuses = clients.Count < refusals });
                return clients[^1];
            },
            "g", "a", () => Session, time, log);
        source.Subscribe(["t"], handler);
        return source;
    }

    private void Step(StaticMemberSource source, int seconds)
    {
        for (var half = 0; half < 2 * seconds; half++)
        {
            source.TryReadBatch(batch, TimeSpan.Zero).ShouldBeFalse();
            time.Advance(TimeSpan.FromSeconds(0.5));
        }
    }

    private sealed class Client : IRecordSource
    {
        public bool Refuses { get; set; }

        public ErrorCode? Error { get; set; }

        public bool Disposed { get; private set; }

        public string? Subscribed { get; private set; }

        public IAssignmentHandler? Handler { get; private set; }

        public IReadOnlyCollection<PartitionId> Assignment => Refuses ? [] : [new PartitionId("t", 0)];

        public bool TryReadBatch(RawRecordBatch into, TimeSpan wait)
        {
            if (Refuses || Error is not null)
                throw new KafkaException(new Error(Error ?? ErrorCode.UnreleasedInstanceId, "refused", isFatal: true));
            return false;
        }

        public void Subscribe(IReadOnlyList<string> topics, IAssignmentHandler handler) => (Subscribed, Handler) = (topics.Single(), handler);

        public void Assign(IReadOnlyList<PartitionStart> starts) => throw new InvalidOperationException();

        public void Pause(IReadOnlyCollection<PartitionId> partitions)
        {
        }

        public void Resume(IReadOnlyCollection<PartitionId> partitions)
        {
        }

        public void Seek(PartitionId partition, long offset)
        {
        }

        public void CommitForLag(IReadOnlyList<PartitionStart> nextOffsets)
        {
        }

        public void Dispose() => Disposed = true;
    }

    private sealed class NoPartitions : IAssignmentHandler
    {
        public IReadOnlyList<PartitionStart> Assigned(IReadOnlyList<PartitionId> partitions) => [];

        public void Revoked(IReadOnlyList<PartitionId> partitions)
        {
        }
    }

    private sealed class KeptLog : ILogger
    {
        public List<string> Lines { get; } = [];

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) => Lines.Add(formatter(state, exception));
    }
}
