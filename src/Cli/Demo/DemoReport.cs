using System.Text.Json;
using StreamMl.Shared.Log;

namespace StreamMl.Cli.Demo;

/// <summary>What a demo found: <c>report.json</c>. The ledger is over the source topics: each event once.</summary>
internal sealed record DemoReport(
    long ValuesCompared, long ValuesDiffering, long VectorsServed, DemoLedger Ledger, DemoLedger RepartitionLedger, long TrainingRows, DemoTimings Timings)
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { WriteIndented = true };

    public void Write(string directory) => File.WriteAllText(Path.Combine(directory, "report.json"), JsonSerializer.Serialize(this, Json));
}

internal sealed record DemoLedger(long Read, long Applied, long Late, long Duplicate, long Filtered, long DeadLettered)
{
    public static DemoLedger Of(LedgerCounts c) => new(c.Read, c.Applied, c.Late, c.Duplicate, c.Filtered, c.DeadLettered);
}

/// <summary>Seconds.</summary>
internal sealed record DemoTimings(double Start, double Replay, double Backfill, double Parity, double Total);
