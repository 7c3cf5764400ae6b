using System.Text.Json;
using StreamMl.Shared.Log;

namespace StreamMl.Cli.Demo;

/// <summary>A log partition's ledger as the store had it when the process ended: <c>ledger.json</c>, for a later check without the store.</summary>
internal sealed record SavedLedger(string Log, int Number, long NextOffset, LedgerCounts Counts)
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { WriteIndented = true };

    [System.Text.Json.Serialization.JsonIgnore]
    public PartitionId Partition => new(Log, Number);

    public static IReadOnlyList<SavedLedger> Read(string directory)
    {
        var path = Path.Combine(directory, "ledger.json");
        return File.Exists(path)
            ? JsonSerializer.Deserialize<List<SavedLedger>>(File.ReadAllText(path), Json)!
            : throw new FileNotFoundException($"no store runs in '{directory}' and it has no ledger.json. Name the store with --redis, or run `streamml demo --dir {directory}`");
    }

    public static void Write(string directory, IEnumerable<SavedLedger> ledgers) =>
        File.WriteAllText(Path.Combine(directory, "ledger.json"), JsonSerializer.Serialize(ledgers, Json));
}
