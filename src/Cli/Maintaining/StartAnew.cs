using System.Text;
using StreamMl.Shared.Log;
using StreamMl.Shared.Store;

namespace StreamMl.Cli.Maintaining;

/// <summary>
/// Writes down that somebody has forgotten positions knowingly: whoever claims them next begins at the first offset that the topic then has, instead of asking what became of those before
/// it (an archive may have them).
/// </summary>
internal static class StartAnew
{
    private static readonly byte[] Said = "reset"u8.ToArray();

    /// <exception cref="StoreUnavailableException">The store is away.</exception>
    public static async Task SayAsync(IStateStore store, IEnumerable<(PartitionId Log, string PositionKey)> positions, CancellationToken stop)
    {
        foreach (var ofLog in positions.GroupBy(p => p.Log))
        {
            var commit = new StoreCommit(ofLog.Key);
            foreach (var (_, key) in ofLog)
                commit.Set(Encoding.UTF8.GetBytes(LogNames.AnewKey(key)), Said);
            if ((await store.CommitAsync(commit, stop)).Status == CommitStatus.Ambiguous)
                throw new StoreUnavailableException($"whether workers on {ofLog.Key} know that they may begin anew was not answered: run this again", null);
        }
    }
}
