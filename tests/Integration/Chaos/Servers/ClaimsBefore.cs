namespace StreamMl.Integration.Tests.Chaos.Servers;

/// <summary>What a worker held at a moment, and how often the others had claimed it by then. Immutable.</summary>
internal sealed class ClaimsBefore(WorkerProcess owner, IEnumerable<WorkerProcess> workers)
{
    private readonly List<string> held = [.. owner.Claims().Where(c => c.Value.HasIt).Select(c => c.Key)];

    // By name: in the meantime a worker may have been killed, and another one have come.
    private readonly Dictionary<string, IReadOnlyDictionary<string, (int Times, bool HasIt)>> others = workers.Where(w => w != owner).ToDictionary(w => w.Name, w => w.Claims(), StringComparer.Ordinal);

    /// <summary>Whether each partition has been claimed by another worker since.</summary>
    public bool AllAreOthersSince(IReadOnlyList<WorkerProcess> now)
    {
        var claims = now.Where(w => w != owner).Select(w => (w.Name, Claims: w.Claims())).ToList();
        return held.TrueForAll(p => claims.Exists(c => c.Claims.GetValueOrDefault(p).Times > (others.GetValueOrDefault(c.Name)?.GetValueOrDefault(p).Times ?? 0)));
    }
}
