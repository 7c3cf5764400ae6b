using Microsoft.Extensions.Time.Testing;
using StreamMl.Infrastructure.Kafka;

namespace StreamMl.Infrastructure.Tests.Kafka;

/// <summary>After a restart of the broker, librdkafka's note of offsets in a transaction never returned, and its partition stood still for ever.</summary>
public sealed class UnreturnedCallTests
{
    [Fact]
    public async Task Leave_CallThatNeverReturns_IsALostTransaction()
    {
        var time = new FakeTimeProvider();
        using var leave = new CancellationTokenSource();
        var left = UnreturnedCall.LeaveAsync(new TaskCompletionSource().Task.WaitAsync(leave.Token), leave, TimeSpan.FromSeconds(10), time);
        time.Advance(TimeSpan.FromSeconds(9));
        left.IsCompleted.ShouldBeFalse();
        time.Advance(TimeSpan.FromSeconds(2));
        (await Should.ThrowAsync<TransactionLostException>(left)).Message.ShouldContain("10 s");
        leave.IsCancellationRequested.ShouldBeTrue();
    }

    [Fact]
    public async Task Leave_CallThatReturns_EndsAsIt()
    {
        using var leave = new CancellationTokenSource();
        await UnreturnedCall.LeaveAsync(Task.CompletedTask, leave, TimeSpan.FromSeconds(10), new FakeTimeProvider());
        await Should.ThrowAsync<InvalidOperationException>(UnreturnedCall.LeaveAsync(Task.FromException(new InvalidOperationException()), leave, TimeSpan.FromSeconds(10), new FakeTimeProvider()));
        leave.IsCancellationRequested.ShouldBeFalse();
    }
}
