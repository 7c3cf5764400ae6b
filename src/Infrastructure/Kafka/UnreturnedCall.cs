using Confluent.Kafka;

namespace StreamMl.Infrastructure.Kafka;

/// <summary>Leaves calls of the client alone that do not return.</summary>
internal static class UnreturnedCall
{
    /// <summary>Waits for the call for so long; then cancels it, which it may not hear, and goes on without it.</summary>
    /// <param name="call">Ends when <paramref name="leave"/> is cancelled, whatever becomes of the client's thread.</param>
    /// <param name="leave">Cancelled when the time is over.</param>
    /// <param name="max">How long is waited.</param>
    /// <param name="time">Whose clock that is.</param>
    /// <exception cref="TransactionLostException">It did not return in time: nobody knows what became of the transaction.</exception>
    public static async Task LeaveAsync(Task call, CancellationTokenSource leave, TimeSpan max, TimeProvider time)
    {
        try
        {
            await call.WaitAsync(max, time);
        }
        catch (TimeoutException)
        {
            await leave.CancelAsync();
            await call.ContinueWith(static _ => { }, TaskScheduler.Default);
            throw new TransactionLostException(new KafkaException(new Error(ErrorCode.Local_TimedOut, $"the client did not return within {max.TotalSeconds:F0} s; another one takes over")));
        }
    }
}
