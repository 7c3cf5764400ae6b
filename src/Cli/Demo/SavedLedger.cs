using System.Text.Json;
using StreamMl.BatchBackfill.Ledger;
using StreamMl.Shared.Log;

namespace StreamMl.Cli.Demo;

/// <summary>A log partition's ledger as the store had it when the process ended, as <c>ledger.json</c> holds it for a later check without the store.</summary>
internal sealed record SavedLedger(string Log, int Number, long NextOffset, LedgerCounts Counts)
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { WriteIndented = true };

    public static IReadOnlyList<KeptLedger> Read(string directory)
    {
        var path = Path.Combine(directory, "ledger.json");
        if (!File.Exists(path))
            throw new FileNotFoundException($"no store runs in '{directory}' and it has no ledger.json. Name the store with --redis, or run `streamml demo --dir {directory}`");
        return [.. JsonSerializer.Deserialize<List<SavedLedger>>(File.ReadAllText(path), Json)!.Select(s => new KeptLedger(new PartitionId(s.Log, s.Number), s.NextOffset, s.Counts))];
    }

    public static void Write(string directory, IEnumerable<KeptLedger> ledgers) => File.WriteAllText(
        Path.Combine(directory, "ledger.json"),
        JsonSerializer.Serialize(ledgers.Select(l => new SavedLedger(l.Partition.Topic, l.Partition.Partition, l.NextOffset, l.Counts)), Json));
}
