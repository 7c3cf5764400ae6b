using Confluent.Kafka;
using Microsoft.Extensions.Logging.Abstractions;
using StreamMl.Infrastructure.Kafka;
using StreamMl.Integration.Tests.Chaos.Servers;
using StreamMl.Shared.Log;
using StreamMl.TestKit;
using StreamMl.TestKit.Servers;

namespace StreamMl.Integration.Tests;

/// <summary>A static member that was killed is a member until the broker's session timeout: whoever comes back under its name before is refused, fatally to librdkafka.</summary>
public sealed class KilledMemberTests
{
    private const int SessionMs = 4_000;
    private static readonly TimeSpan PollWait = TimeSpan.FromMilliseconds(50);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task StaticMember_KilledAndBackBeforeTheSessionTimeout_WaitsForItsNameAndReads()
    {
        if (ChaosBroker.WhyNot is { } why)
            TestEnvironment.Skip($"this needs a Kafka with a short session timeout: {why}");
        await using var broker = await ChaosBroker.StartAsync(TestEnvironment.TemporaryDirectory("killed"), SessionMs);
        using var admin = new TopicAdmin(broker.Endpoint);
        (await admin.SessionTimeoutAsync(Stop)).ShouldBe(TimeSpan.FromMilliseconds(SessionMs));
        await admin.EnsureTopicAsync("named", 2, Stop);
        await using (var producer = new KafkaProducerFactory(broker.Endpoint).Create())
            await producer.SendAsync("named", [1], [2], 0, null, Stop);
        var consumers = new KafkaConsumerFactory(broker.Endpoint);
        var options = new RecordSourceOptions { GroupId = "workers", GroupInstanceId = "a", UseConsumerProtocol = true };
        Abandon(consumers.CreateClient(options));

        var handler = new FromTheBeginning();
        using (var plain = consumers.CreateClient(options))
        {
            // What every client meets: so this is what the rest of the test is about.
            plain.Subscribe("named");
            Should.Throw<KafkaException>(() => PollFor(plain)).Error.Code.ShouldBe(ErrorCode.UnreleasedInstanceId);
        }

        using var again = consumers.CreateSource(options, NullLogger.Instance);
        again.Subscribe(["named"], handler);
        using var batch = new RawRecordBatch();
        await Eventually.Until(() => again.TryReadBatch(batch, PollWait) && batch.Count > 0, () => $"{again.Assignment.Count} partitions, nothing read");
        again.Assignment.Count.ShouldBe(2);
    }

    /// <summary>As kill -9 does: a client that is disposed of without being closed does not tell the group.</summary>
    private static void Abandon(IConsumer<byte[], byte[]> member)
    {
        member.Subscribe("named");
        while (member.Assignment.Count == 0)
        {
            Stop.ThrowIfCancellationRequested();
            PollOnce(member);
        }

        member.Dispose();
    }

    private static void PollOnce(IConsumer<byte[], byte[]> member)
    {
        try
        {
            member.Consume(PollWait);
        }
        catch (ConsumeException e) when (e.Error.Code == ErrorCode.Local_AutoOffsetReset)
        {
            // It has no offset to read from, and need not read.
        }
    }

    private static void PollFor(IConsumer<byte[], byte[]> member)
    {
        for (var i = 0; i < 100; i++)
            PollOnce(member);
    }

    private sealed class FromTheBeginning : IAssignmentHandler
    {
        public IReadOnlyList<PartitionStart> Assigned(IReadOnlyList<PartitionId> partitions) => [.. partitions.Select(p => new PartitionStart(p, PartitionStart.Beginning))];

        public void Revoked(IReadOnlyList<PartitionId> partitions)
        {
        }
    }
}
