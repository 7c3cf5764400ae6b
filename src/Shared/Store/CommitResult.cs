namespace StreamMl.Shared.Store;

public enum CommitStatus : byte
{
    /// <summary>All of it is in the store.</summary>
    Committed,

    /// <summary>Nothing was written: a checked key has another value.</summary>
    Refused,

    /// <summary>The answer was lost: it may be in the store, now or later. Read the positions again; never retry blindly.</summary>
    Ambiguous,
}

/// <summary>What became of a commit.</summary>
/// <param name="Status">See <see cref="CommitStatus"/>.</param>
/// <param name="Actual">If refused, the value of every checked key in order (null: absent); empty otherwise.</param>
/// <param name="Error">If ambiguous, what went wrong.</param>
public sealed record CommitResult(CommitStatus Status, IReadOnlyList<byte[]?> Actual, Exception? Error = null)
{
    public static CommitResult Committed { get; } = new(CommitStatus.Committed, []);
}
