using System.Text.Json;
using System.Text.Json.Serialization;
using StreamMl.BatchBackfill.Ledger;
using StreamMl.BatchBackfill.Parity;
using StreamMl.Shared.Definitions;
using StreamMl.Shared.Log;

namespace StreamMl.Cli.Demo;

/// <summary>What a demo found: <c>report.json</c>. The ledger is over the source topics: each event once.</summary>
internal sealed record DemoReport(
    long ValuesCompared, long ValuesDiffering, long VectorsServed, DemoLedger Ledger, DemoLedger RepartitionLedger, DemoEvaluation Evaluation, IReadOnlyDictionary<string, double> Timings)
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { WriteIndented = true, NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals };

    /// <summary>Areas under the ROC curve, and the calibration error of the model that served.</summary>
    public DemoAuc Auc => Evaluation.Auc;

    public static DemoReport Of(
        ParityReport parity, Catalog catalog, IReadOnlyList<KeptLedger> ledgers, DemoEvaluation evaluation, IEnumerable<(string Name, double Seconds)> timings, double total) =>
        new(
            parity.ValuesCompared, parity.ValuesDiffering, parity.Vectors, Sum(catalog, ledgers, sources: true), Sum(catalog, ledgers, sources: false), evaluation,
            timings.Append((Name: "total", Seconds: total)).ToDictionary(t => t.Name, t => Math.Round(t.Seconds, 1), StringComparer.Ordinal));

    public void Write(string directory) => File.WriteAllText(Path.Combine(directory, "report.json"), JsonSerializer.Serialize(this, Json));

    private static DemoLedger Sum(Catalog catalog, IReadOnlyList<KeptLedger> ledgers, bool sources) =>
        DemoLedger.Of(ledgers.Where(l => catalog.Sources.Any(s => s.Topic == l.Partition.Topic) == sources).Aggregate(default(LedgerCounts), (sum, l) => sum + l.Counts));
}

internal sealed record DemoLedger(long Read, long Applied, long Late, long Duplicate, long Filtered, long DeadLettered)
{
    public static DemoLedger Of(LedgerCounts c) => new(c.Read, c.Applied, c.Late, c.Duplicate, c.Filtered, c.DeadLettered);
}

/// <summary>ROC-AUC on the flights that were served, and the expected calibration error of the champion.</summary>
/// <param name="Origin">Rate by origin.</param>
/// <param name="Hour">Rate by hour of the schedule.</param>
/// <param name="Schedule">A model of what the schedule says.</param>
/// <param name="Weather">With the weather at the origin.</param>
/// <param name="Streaming">With the streaming windows: the champion, over vectors recomputed from the archive.</param>
/// <param name="Online">The champion, as it scored while they were served.</param>
/// <param name="RealTime">The champion over vectors of what had arrived at each event's own arrival: a fast replay lets the online reads see a little more.</param>
/// <param name="Leaky">A model of windows that know arrival delays at departure, over such windows.</param>
/// <param name="LeakyServed">That model over the vectors that were really served.</param>
/// <param name="Ece">Of the champion online.</param>
internal sealed record DemoAuc(double Origin, double Hour, double Schedule, double Weather, double Streaming, double Online, double RealTime, double Leaky, double LeakyServed, double Ece);

/// <summary>How the models do on the flights that were served.</summary>
/// <param name="Auc">The table.</param>
/// <param name="TrainingRows">Rows of the training set.</param>
/// <param name="Flights">Served flights whose label is known: those that both online and offline scores are compared on.</param>
/// <param name="ScoresCompared">Scores online and recomputed.</param>
/// <param name="ScoresDiffering">Of these, not the same to the bit.</param>
internal sealed record DemoEvaluation(DemoAuc Auc, long TrainingRows, long Flights, long ScoresCompared, long ScoresDiffering);
