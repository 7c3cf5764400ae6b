using System.Diagnostics.CodeAnalysis;
using StreamMl.BatchBackfill.Logs;

namespace StreamMl.BatchBackfill.PointInTime;

/// <summary>
/// Hands the chunks of a feed to several workers and lets them commit in the feed's order. A worker that took a chunk must call
/// <see cref="WaitForTurn"/> and <see cref="Done"/> for it, or <see cref="Abort"/>. Thread-safe.
/// </summary>
internal sealed class FeedCursor(LogFeed feed) : IDisposable
{
    private readonly IEnumerator<IDisposable> chunks = feed.Chunks().GetEnumerator();
    private readonly object turn = new();
    private readonly Lock taking = new();
    private long taken;
    private long done;
    private bool ended;
    private bool aborted;

    public LogFeed Feed => feed;

    /// <summary>Chunks that are taken and not yet committed.</summary>
    public long InFlight => Interlocked.Read(ref taken) - Interlocked.Read(ref done);

    public bool TryTake([NotNullWhen(true)] out IDisposable? chunk, out long sequence)
    {
        lock (taking)
        {
            (chunk, sequence) = (null, taken);
            if (ended || !chunks.MoveNext())
            {
                ended = true;
                return false;
            }

            chunk = chunks.Current;
            Interlocked.Increment(ref taken);
            return true;
        }
    }

    public void WaitForTurn(long sequence)
    {
        lock (turn)
        {
            while (done != sequence && !aborted)
                Monitor.Wait(turn);
            if (aborted)
                throw new OperationCanceledException("another worker of the scan has failed");
        }
    }

    public void Done()
    {
        lock (turn)
        {
            Interlocked.Increment(ref done);
            Monitor.PulseAll(turn);
        }
    }

    /// <summary>No more chunks: nothing behind this one is needed.</summary>
    public void End()
    {
        lock (taking)
            ended = true;
    }

    public void Abort()
    {
        End();
        lock (turn)
        {
            aborted = true;
            Monitor.PulseAll(turn);
        }
    }

    public void Dispose() => chunks.Dispose();
}
