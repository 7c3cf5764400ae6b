using StreamMl.Shared.Store;

namespace StreamMl.TestKit.Store;

/// <summary>What a test makes of a commit.</summary>
public enum CommitFault
{
    None,

    /// <summary>Applied, but the answer is lost.</summary>
    LoseAnswer,

    /// <summary>Not applied, and the answer is lost.</summary>
    LoseRequest,
}

/// <summary>The naive store: a sorted dictionary under a lock. Keeps the order of what was done; a test may inject faults. Thread-safe.</summary>
public sealed class InMemoryStateStore : IStateStore
{
    private readonly Lock gate = new();
    private readonly SortedDictionary<string, byte[]> entries = new(StringComparer.Ordinal);

    /// <summary>Asked before each commit.</summary>
    public Func<StoreCommit, CommitFault> Fault { get; set; } = _ => CommitFault.None;

    public int Commits { get; private set; }

    /// <summary>A copy of everything; keys as Latin-1 text.</summary>
    public SortedDictionary<string, byte[]> Snapshot()
    {
        lock (gate)
            return new SortedDictionary<string, byte[]>(entries, StringComparer.Ordinal);
    }

    /// <summary>Puts the store back to an earlier copy, as a restored snapshot would.</summary>
    public void Restore(SortedDictionary<string, byte[]> snapshot)
    {
        lock (gate)
        {
            entries.Clear();
            foreach (var (key, value) in snapshot)
                entries.Add(key, value);
        }
    }

    public Task<CommitResult> CommitAsync(StoreCommit commit, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        lock (gate)
        {
            var fault = Fault(commit);
            var result = fault == CommitFault.LoseRequest ? CommitResult.Committed : Apply(commit);
            return Task.FromResult(fault == CommitFault.None ? result : new CommitResult(CommitStatus.Ambiguous, [], new TimeoutException("planted")));
        }
    }

    public Task<StoreValues> ReadAsync(PackedBytes keys, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var values = new StoreValues(keys.Count);
        lock (gate)
        {
            for (var i = 0; i < keys.Count; i++)
            {
                if (entries.TryGetValue(Text(keys[i]), out var value))
                    value.CopyTo(values.Allocate(i, value.Length));
            }
        }

        return Task.FromResult(values);
    }

    private CommitResult Apply(StoreCommit commit)
    {
        var actual = new byte[]?[commit.CheckKeys.Count];
        var same = true;
        for (var i = 0; i < actual.Length; i++)
        {
            actual[i] = entries.GetValueOrDefault(Text(commit.CheckKeys[i]));
            same &= commit.MustBeAbsent(i) ? actual[i] is null : actual[i] is { } bytes && commit.Expected[i].SequenceEqual(bytes);
        }

        if (!same)
            return new CommitResult(CommitStatus.Refused, actual);
        for (var i = 0; i < commit.DeletedKeys.Count; i++)
            entries.Remove(Text(commit.DeletedKeys[i]));
        for (var i = 0; i < commit.Keys.Count; i++)
            entries[Text(commit.Keys[i])] = commit.Values[i].ToArray();
        Commits++;
        return CommitResult.Committed;
    }

    private static string Text(ReadOnlySpan<byte> key) => System.Text.Encoding.Latin1.GetString(key);
}
