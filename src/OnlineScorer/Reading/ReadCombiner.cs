using System.Runtime.CompilerServices;

namespace StreamMl.OnlineScorer.Reading;

/// <summary>
/// Reads of the same service that are asked for while one is under way go to the store together in the next one, or, when there are enough of them, in a second one beside it: under
/// load a round trip serves many callers, and nobody waits for company. Large ones go alone. Thread-safe.
/// </summary>
public sealed class ReadCombiner(FeatureReader reader)
{
    /// <summary>A caller with more requests than this reads alone.</summary>
    private const int MaxRequestsOfOne = 64;

    private const int MaxRequestsTogether = 1_024;
    private const int LeastShare = 16;

    /// <summary>Round trips of one service at a time: while the store answers one, another is on its way, so that neither side waits.</summary>
    private const int MaxTrips = 2;

    /// <summary>So many who wait are worth a round trip beside the one that is under way.</summary>
    private const int EnoughForAnother = 8;

    private readonly ConditionalWeakTable<ServedService, Lane> lanes = [];

    /// <summary>As <see cref="FeatureReader.ReadAsync"/>; a failure is of this batch alone.</summary>
    public Task ReadAsync(ReadBatch batch, CancellationToken cancellationToken) => batch.Count > MaxRequestsOfOne
        ? reader.ReadAsync(batch, cancellationToken)
        : lanes.GetValue(batch.Service, s => new Lane(reader, s)).ReadAsync(batch, cancellationToken);

    /// <summary>The callers of one service.</summary>
    private sealed class Lane(FeatureReader reader, ServedService service)
    {
        private readonly Lock gate = new();
        private readonly Stack<Trip> idle = new();
        private List<Caller> waiting = [];
        private int underWay;

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
                ServeNext();
            }
        }

        /// <summary>Null: nobody reads, so the caller does.</summary>
        private Caller? TryWait(ReadBatch batch, CancellationToken cancellationToken)
        {
            var caller = new Caller(batch, cancellationToken);
            lock (gate)
            {
                if (underWay == 0)
                {
                    underWay = 1;
                    return null;
                }

                waiting.Add(caller);
                if (underWay == MaxTrips || waiting.Count < EnoughForAnother)
                    return caller;
                underWay++;
            }

            QueueTrip();
            return caller;
        }

        /// <summary>Has those who wait read for, if any do.</summary>
        private void ServeNext()
        {
            lock (gate)
            {
                if (waiting.Count == 0)
                {
                    underWay--;
                    return;
                }
            }

            QueueTrip();
        }

        /// <summary>Behind what is queued already: requests that have come are parsed first, and go along.</summary>
        private void QueueTrip() => ThreadPool.UnsafeQueueUserWorkItem(static lane => _ = lane.ServeAsync(), this, preferLocal: false);

        /// <summary>Reads for all who wait. Whatever fails, fails its callers.</summary>
        private async Task ServeAsync()
        {
            Trip? trip;
            lock (gate)
            {
                if (!idle.TryPop(out trip))
                    trip = new Trip(new ReadBatch(service));
                (waiting, trip.Callers) = (trip.Callers, waiting);
            }

            for (var first = 0; first < trip.Callers.Count;)
            {
                var count = trip.Join(first);
                await ReadTogetherAsync(trip.Together, trip.Callers.GetRange(first, count));
                first += count;
            }

            trip.Callers.Clear();
            lock (gate)
                idle.Push(trip);
            ServeNext();
        }

        private async Task ReadTogetherAsync(ReadBatch together, List<Caller> callers)
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

        /// <summary>The callers go on by other threads while the next read begins: a share for each processor, but of so many that their answers go out together.</summary>
        private static void LetGo(List<Caller> callers)
        {
            var share = Math.Max(LeastShare, (callers.Count + Environment.ProcessorCount - 1) / Environment.ProcessorCount);
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

    /// <summary>One round trip's batch and whom it is for.</summary>
    private sealed class Trip(ReadBatch together)
    {
        public ReadBatch Together => together;

        public List<Caller> Callers { get; set; } = [];

        /// <summary>Fills the common batch from these callers on; returns how many fit.</summary>
        public int Join(int first)
        {
            together.Clear();
            var count = 0;
            for (; first + count < Callers.Count && (count == 0 || together.Count + Callers[first + count].Batch.Count <= MaxRequestsTogether); count++)
                Callers[first + count].Batch.CopyRequestsTo(together);
            return count;
        }
    }

    private sealed record Caller(ReadBatch Batch, CancellationToken CancellationToken)
    {
        public TaskCompletionSource Done { get; } = new();
    }
}
