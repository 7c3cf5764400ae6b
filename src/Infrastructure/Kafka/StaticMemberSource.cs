using Confluent.Kafka;
using Microsoft.Extensions.Logging;
using StreamMl.Shared;
using StreamMl.Shared.Log;

namespace StreamMl.Infrastructure.Kafka;

/// <summary>
/// A static member of a group. One that was killed is a member still: KIP-848 brokers hold its name until the session timeout and refuse whoever comes under it, which is fatal to the
/// client. So the client is made anew until the broker lets the name go; nothing is read meanwhile. A name that another worker lives under is never let go: then this ends.
/// </summary>
/// <param name="make">Makes the client; called again after each refusal.</param>
/// <param name="groupId">The group.</param>
/// <param name="name">The member's name in it.</param>
/// <param name="sessionTimeout">The broker's; asked once it matters.</param>
/// <param name="time">For the wait.</param>
/// <param name="logger">Told once of each wait.</param>
internal sealed partial class StaticMemberSource(
    Func<IRecordSource> make, string groupId, string name, Func<TimeSpan> sessionTimeout, TimeProvider time, ILogger logger) : IRecordSource
{
    internal static readonly TimeSpan TryAgainAfter = TimeSpan.FromSeconds(1);

    /// <summary>How much longer than the session timeout: brokers look for expired sessions now and then, and a group may have a longer one of its own.</summary>
    internal static readonly TimeSpan Grace = TimeSpan.FromMinutes(1);

    private readonly ManualResetEventSlim never = new(initialState: false);
    private IRecordSource? member = make();
    private (IReadOnlyList<string> Topics, IAssignmentHandler Handler)? subscription;
    private TimeSpan? patience;
    private TimeSpan held;
    private long madeAt = time.GetTimestamp();
    private long refusedAt;
    private long? waitingSince;

    public IReadOnlyCollection<PartitionId> Assignment => member?.Assignment ?? [];

    /// <inheritdoc/>
    /// <exception cref="SetupException">Another worker lives under this name.</exception>
    public bool TryReadBatch(RawRecordBatch into, TimeSpan wait)
    {
        if (!TryJoin())
        {
            into.Clear();
            never.Wait(wait);
            return false;
        }

        try
        {
            bool any = member!.TryReadBatch(into, wait);
            if (waitingSince is { } since && member.Assignment.Count > 0) Joined(since);
            return any;
        }
        catch (KafkaException e) when (e.Error.Code == ErrorCode.UnreleasedInstanceId)
        {
            into.Clear();
            Refused(e);
            return false;
        }
        catch (KafkaException e) when (e.Error.Code == ErrorCode.FencedInstanceId)
        {
            throw new SetupException($"a member named '{name}' has joined group '{groupId}' since: {Remedy}", e);
        }
    }

    public void Assign(IReadOnlyList<PartitionStart> starts) => throw new InvalidOperationException("A static member subscribes; partitions are assigned to readers without a group.");

    public void Subscribe(IReadOnlyList<string> topics, IAssignmentHandler handler)
    {
        subscription = (topics, handler);
        member?.Subscribe(topics, handler);
    }

    public void Pause(IReadOnlyCollection<PartitionId> partitions) => member?.Pause(partitions);

    public void Resume(IReadOnlyCollection<PartitionId> partitions) => member?.Resume(partitions);

    public void Seek(PartitionId partition, long offset) => member?.Seek(partition, offset);

    public void CommitForLag(IReadOnlyList<PartitionStart> nextOffsets) => member?.CommitForLag(nextOffsets);

    public void Dispose()
    {
        Leave();
        never.Dispose();
    }

    private string Remedy =>
        $"two workers with one name? Give each a name of its own (Features__GroupInstanceId, Archive__ or Serving__, as a StatefulSet's pod name); `kafka-consumer-groups.sh --describe --members --group {groupId}` shows who has it";

    private bool TryJoin()
    {
        if (member is not null) return true;
        if (time.GetElapsedTime(refusedAt) < TryAgainAfter) return false;
        (member, madeAt) = (make(), time.GetTimestamp());
        if (subscription is { } wanted) member.Subscribe(wanted.Topics, wanted.Handler);
        return true;
    }

    private void Refused(KafkaException error)
    {
        // One that was a member for so long was put out since: the wait is a new one.
        bool isNew = waitingSince is null || (patience is { } enough && time.GetElapsedTime(madeAt) > enough);
        refusedAt = time.GetTimestamp();
        Leave();
        if (isNew)
        {
            waitingSince = refusedAt;
            held = sessionTimeout();
            patience = held + Grace;
            Waiting(logger, name, groupId, held.TotalSeconds, patience.Value.TotalSeconds);
        }
        else if (time.GetElapsedTime(waitingSince!.Value) > patience)
        {
            throw new SetupException(
                $"another member of group '{groupId}' is named '{name}' and still is after {time.GetElapsedTime(waitingSince.Value).TotalSeconds:F0} s; the broker would hold the place of one that was killed for "
                + $"{held.TotalSeconds:F0} s (group.consumer.session.timeout.ms): {Remedy}", error);
        }
    }

    private void Joined(long since)
    {
        waitingSince = null;
        var waited = time.GetElapsedTime(since);
        HasJoined(logger, name, groupId, waited.TotalSeconds);
    }

    private void Leave()
    {
        var leaving = member;
        member = null;
        try
        {
            leaving?.Dispose();
        }
        catch (KafkaException e) when (e.Error.Code == ErrorCode.UnreleasedInstanceId)
        {
            // The refusal once more, while the client leaves.
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "'{Name}' is a member of group '{Group}' still: it was killed, or another worker has this name. The broker holds its place until the session timeout, "
        + "{HeldSeconds} s (group.consumer.session.timeout.ms); trying again every second, for {PatienceSeconds} s at most")]
    private static partial void Waiting(ILogger logger, string name, string group, double heldSeconds, double patienceSeconds);

    [LoggerMessage(Level = LogLevel.Information, Message = "'{Name}' has joined group '{Group}' after {Seconds:F1} s")]
    private static partial void HasJoined(ILogger logger, string name, string group, double seconds);
}
