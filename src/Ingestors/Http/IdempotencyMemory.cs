namespace StreamMl.Ingestors.Http;

/// <summary>Remembers the last answers by key, so that a request that is sent again is not done again. In this process only. Thread-safe.</summary>
internal sealed class IdempotencyMemory(int maxKeys)
{
    private readonly Lock gate = new();
    private readonly Dictionary<string, Task<IngestAnswer>> answers = new(StringComparer.Ordinal);
    private readonly Queue<string> order = new();

    /// <summary>The remembered answer, also one that is still being made, or that of <paramref name="make"/>. One that failed is forgotten.</summary>
    public Task<IngestAnswer> GetAsync(string? key, Func<Task<IngestAnswer>> make)
    {
        if (key is null || maxKeys == 0)
            return make();
        lock (gate)
        {
            if (answers.TryGetValue(key, out var known) && !known.IsFaulted && !known.IsCanceled)
                return known;
            if (known is null)
                order.Enqueue(key);
            while (order.Count > maxKeys)
                answers.Remove(order.Dequeue());
            return answers[key] = make();
        }
    }
}
