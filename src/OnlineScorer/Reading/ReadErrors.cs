using StreamMl.Shared.Log;

namespace StreamMl.OnlineScorer.Reading;

/// <summary>A view has no position in the store: no worker ever ran this definition of it on this partition.</summary>
public sealed class ViewNotReadyException(string view, string hash8, PartitionId log, IReadOnlyList<string> otherHashes)
    : Exception(Describe(view, hash8, log, otherHashes))
{
    public string View { get; } = view;

    public string Hash8 { get; } = hash8;

    public PartitionId Log { get; } = log;

    /// <summary>Definitions of the same view that the store has.</summary>
    public IReadOnlyList<string> OtherHashes { get; } = otherHashes;

    private static string Describe(string view, string hash8, PartitionId log, IReadOnlyList<string> otherHashes) => otherHashes.Count == 0
        ? $"view '{view}' (definition {hash8}) has no position for {log} in the store: it never ran. Start `streamml features` with this catalogue"
        : $"view '{view}' has no position for {log} in the store under definition {hash8}, but it has one under {string.Join(", ", otherHashes)}: "
            + "another version of the view runs. Read with the catalogue that the stream worker has, or restart `streamml features` with this one";
}

/// <summary>Commits kept coming between the first and the last key of a read.</summary>
public sealed class TornReadException(string service, int attempts)
    : Exception($"service '{service}': {attempts} reads in a row had a commit in their midst. Read fewer entities at once, or commit less often (larger micro-batches)");
