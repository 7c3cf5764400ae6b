using StreamMl.Infrastructure.TrainingSets;
using StreamMl.Shared.Definitions;
using StreamMl.Training.Configuration;
using StreamMl.Training.Data;
using StreamMl.Training.Splits;

namespace StreamMl.Training.Leakage;

/// <summary>What is to be looked at.</summary>
public sealed record LeakRequest
{
    /// <summary>A training set's folder, or one table (.arrow, .parquet, .csv).</summary>
    public required string Data { get; init; }

    /// <summary>The label's column; null: the manifest's.</summary>
    public string? Label { get; init; }

    /// <summary>Column of the row's time, for a table without a manifest.</summary>
    public string? Time { get; init; }

    /// <summary>Column that says when the label was known, for a table without a manifest.</summary>
    public string? LabelTime { get; init; }

    public LeakSplit Split { get; init; } = new();

    /// <summary>A training's configuration: its label and its split are looked at, instead of <see cref="Split"/>.</summary>
    public TrainConfig? Config { get; init; }

    public LeakLimits Limits { get; init; } = new();

    /// <summary>The catalogue that the features come from; null: what needs it is skipped.</summary>
    public Catalog? Catalog { get; init; }

    /// <summary>Checks that are left out (<see cref="LeakChecks"/>): someone looked and says that it is no fault.</summary>
    public IReadOnlyList<string> Skip { get; init; } = [];

    /// <summary>A model whose fitted statistics are looked at too.</summary>
    public FittedModel? Model { get; init; }
}

/// <summary>Looks for what a training set knows and serving will not. Reads the set into memory: 4 bytes per value.</summary>
public static class LeakChecker
{
    private const int MaxExamples = 5;

    /// <exception cref="LeakException">The set or the split cannot be looked at.</exception>
    public static LeakReport Run(LeakRequest request)
    {
        if (request.Skip.FirstOrDefault(s => !LeakChecks.All.Contains(s)) is { } unknown)
            throw new LeakException($"there is no check '{unknown}' to leave out; there are {string.Join(", ", LeakChecks.All)}");
        var (table, manifest) = LeakTableReader.Read(request.Data, request.Label ?? request.Config?.Label, request.Time, request.LabelTime);
        if (request.Config is { } config)
        {
            Apply(table, request.Data, config);
            var entity = config.Split.Kind == SplitKind.Entity ? config.Split.Entity : [];
            return Run(table, manifest, null, request with { Split = new LeakSplit { Entity = entity } });
        }

        var bounds = request.Split.Apply(table);
        return Run(Inputs(table, request), manifest, bounds, request);
    }

    /// <summary>Splits as training does, by its own code.</summary>
    private static void Apply(LeakTable table, string data, TrainConfig config)
    {
        using var set = TrainingSet.Open(data);
        var name = config.Label ?? set.Manifest.Columns.First(c => c.Role == ColumnRoles.Label).Name;
        var split = Splitter.Split(set, LabelColumn.Read(set, name, config.Task).Values, config.Split, config.Seed);
        Array.Fill(table.Parts, Part.LeftOut);
        foreach (var (part, rows) in ((Part, int[])[])[(Part.Train, split.Train.Rows), (Part.Validation, split.Validation.Rows), (Part.Test, split.Test.Rows)])
        {
            foreach (var row in rows)
                table.Parts[row] = part;
        }
    }

    private static LeakReport Run(LeakTable table, TrainingManifest? manifest, (long, long)? bounds, LeakRequest request)
    {
        var limits = request.Limits;
        var findings = new List<LeakFinding>();
        List<LeakOutcome> outcomes =
        [
            LabelTimeCheck.Run(table, bounds, request.Split.Entity.Count > 0, findings),
            AvailabilityCheck.Run(manifest, findings),
            EventTimesCheck.Run(table, manifest, request.Catalog, limits, findings),
            .. DuplicateCheck.Run(table, limits, findings),
            .. FeatureStrengthCheck.Run(table, limits, findings),
            .. LabelMemoryCheck.Run(table, limits, findings),
            FittedStatisticsCheck.Run(table, request.Model, findings),
            EntityOverlapCheck.Run(table, request.Split.Entity, findings),
        ];
        var rows = table.Parts.GroupBy(p => p).ToDictionary(p => p.Key == Part.LeftOut ? "left out" : p.Key.ToString().ToLowerInvariant(), p => (long)p.Count(), StringComparer.Ordinal);
        return new LeakReport(request.Data, rows, [.. outcomes.Select(o => Left(o, request.Skip))], [.. findings.Where(f => !request.Skip.Contains(f.Check))]);
    }

    private static LeakOutcome Left(LeakOutcome outcome, IReadOnlyList<string> skip) =>
        skip.Contains(outcome.Check) ? outcome with { Outcome = "skipped", Note = $"left out as asked; {outcome.Note}" } : outcome;

    internal static LeakOutcome Outcome(string check, List<LeakFinding> findings, int before, string note) => new(check, findings.Count > before ? "found" : "passed", note);

    internal static IReadOnlyList<string> Examples(List<int> rows) => [.. rows.Take(MaxExamples).Select(r => $"row {r}")];

    /// <summary>The column that names the parts is no input.</summary>
    private static LeakTable Inputs(LeakTable table, LeakRequest request) => request.Split.PartColumn is not { } parts ? table : new LeakTable
    {
        Columns = [.. table.Columns.Where(c => c.Name != parts)],
        Label = table.Label,
        RawLabel = table.RawLabel,
        HasLabel = table.HasLabel,
        TimeUs = table.TimeUs,
        KnownUs = table.KnownUs,
        Texts = table.Texts,
        Parts = table.Parts,
    };
}
