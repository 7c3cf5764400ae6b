using System.Runtime.CompilerServices;

namespace StreamMl.OnlineScorer.Reading;

/// <summary>
/// Reads of the same service that are asked for while one is under way go to the store together in the next one: under load a round trip serves many callers, and nobody
/// waits for company. Large ones go alone. Thread-safe.
/// </summary>
public sealed class ReadCombiner(FeatureReader reader)
{
    /// <summary>A caller with more requests than this reads alone.</summary>
    private const int MaxRequestsOfOne = 64;

    private const int MaxRequestsTogether = 1_024;
    private readonly ConditionalWeakTable<ServedService, Lane> lanes = [];

    /// <summary>As <see cref="FeatureReader.ReadAsync"/>; a failure is of this batch alone.</summary>
    public Task ReadAsync(ReadBatch batch, CancellationToken cancellationToken) => batch.Count > MaxRequestsOfOne
        ? reader.ReadAsync(batch, cancellationToken)
        : lanes.GetValue(batch.Service, s => new Lane(reader, s)).ReadAsync(batch, cancellationToken);

    /// <summary>The callers of one service.</summary>
    private sealed class Lane(FeatureReader reader, ServedService service)
    {
        private readonly Lock gate = new();
        private readonly ReadBatch together = new(service);
        private List<Caller> waiting = [];
        private List<Caller> served = [];
        private bool isReading;

        public async Task ReadAsync(ReadBatch batch, CancellationToken cancellationToken)
        {
            if (TryWait(batch, cancellationToken) is { } caller)
            {
                await caller.Done.Task;
                return;
            }

            try
            {
                await reader.ReadAsync(batch, cancellationToken);
            }
            finally
            {
                _ = ServeAsync();
            }
        }

        /// <summary>Null: nobody reads, so the caller does.</summary>
        private Caller? TryWait(ReadBatch batch, CancellationToken cancellationToken)
        {
            lock (gate)
            {
                if (!isReading)
                {
                    isReading = true;
                    return null;
                }

                var caller = new Caller(batch, cancellationToken);
                waiting.Add(caller);
                return caller;
            }
        }

        /// <summary>Reads for those who wait until nobody does. Whatever fails, fails its callers.</summary>
        private async Task ServeAsync()
        {
            while (TakeWaiting())
            {
                for (var first = 0; first < served.Count;)
                {
                    var count = Join(first);
                    await ReadTogetherAsync(served.GetRange(first, count));
                    first += count;
                }

                served.Clear();
            }
        }

        private bool TakeWaiting()
        {
            lock (gate)
            {
                isReading = waiting.Count > 0;
                (waiting, served) = (served, waiting);
                return isReading;
            }
        }

        /// <summary>Fills the common batch from these callers on; returns how many fit.</summary>
        private int Join(int first)
        {
            together.Clear();
            var count = 0;
            for (; first + count < served.Count && (count == 0 || together.Count + served[first + count].Batch.Count <= MaxRequestsTogether); count++)
                served[first + count].Batch.CopyRequestsTo(together);
            return count;
        }

        private async Task ReadTogetherAsync(List<Caller> callers)
        {
            try
            {
                await reader.ReadAsync(together, CancellationToken.None);
            }
            catch (Exception e) when (callers.Count == 1)
            {
                callers[0].Done.SetException(e);
                return;
            }
            catch (Exception)
            {
                // One caller's partition may be what failed: each finds out for itself.
                await Task.WhenAll(callers.Select(ReadAloneAsync));
                return;
            }

            var first = 0;
            foreach (var caller in callers)
            {
                caller.Batch.TakeAnswersFrom(together, first);
                first += caller.Batch.Count;
            }

            LetGo(callers);
        }

        /// <summary>The callers go on by other threads, one share for each processor, while the next read begins here.</summary>
        private static void LetGo(List<Caller> callers)
        {
            var share = (callers.Count + Environment.ProcessorCount - 1) / Environment.ProcessorCount;
            for (var from = 0; from < callers.Count; from += share)
                ThreadPool.UnsafeQueueUserWorkItem(static some => some.ForEach(c => c.Done.SetResult()), callers.GetRange(from, Math.Min(share, callers.Count - from)), preferLocal: false);
        }

        private async Task ReadAloneAsync(Caller caller)
        {
            try
            {
                await reader.ReadAsync(caller.Batch, caller.CancellationToken);
                caller.Done.SetResult();
            }
            catch (Exception e)
            {
                caller.Done.SetException(e);
            }
        }
    }

    private sealed record Caller(ReadBatch Batch, CancellationToken CancellationToken)
    {
        public TaskCompletionSource Done { get; } = new();
    }
}
