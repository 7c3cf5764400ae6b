using StreamMl.BatchBackfill.Logs;
using StreamMl.BatchBackfill.PointInTime;
using StreamMl.FeatureEngine.Services;
using StreamMl.Infrastructure.Archive;
using StreamMl.Shared.Definitions;

namespace StreamMl.BatchBackfill.Parity;

/// <summary>
/// Computes served vectors again from the archive, each at the positions that it names, and compares bytes: lanes and validity bit by bit, texts
/// byte by byte. Changes nothing. Thread-safe.
/// </summary>
public static class ParityRunner
{
    /// <exception cref="BackfillException">A prefix is not archived, or was read from another partition than the entity's.</exception>
    /// <exception cref="InvalidDataException">The archive or the served vectors are damaged, or of another definition.</exception>
    public static ParityReport Run(Catalog catalog, ParityOptions options, Action<BackfillProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        var scratch = Directory.CreateTempSubdirectory("streamml-parity-").FullName;
        try
        {
            return Run(catalog, options, progress ?? (_ => { }), scratch, cancellationToken);
        }
        finally
        {
            Directory.Delete(scratch, recursive: true);
        }
    }

    private static ParityReport Run(Catalog catalog, ParityOptions options, Action<BackfillProgress> progress, string scratch, CancellationToken cancellationToken)
    {
        var service = ServiceProgram.Compile(catalog, catalog.Service(options.Service));
        var spine = ServedSpine.Build(Path.Combine(scratch, "served.arrow"), options.Served, service, Math.Max(1, options.Every));
        var inputs = new LogInputs(new ArchiveLayout(options.Archive), [], TimeSpan.Zero, 0);
        var outputs = service.Views.ToDictionary(v => v.Name, v => new FeatureScratch(Path.Combine(scratch, $"{v.Name}.features"), v, service.Columns, spine.Table.Rows), StringComparer.Ordinal);
        try
        {
            var limits = new JobLimits(options.MemoryBytes, options.MemoryBytes / 2, options.Cores, 0, scratch);
            var job = new PointInTimeJob(service, new SpineReads(spine.Table, 0, null, spine), spine.Table.Rows, byEventTime: false, limits, progress);
            foreach (var group in service.Views.GroupBy(v => v.Program.Log, StringComparer.Ordinal).OrderBy(g => g.Key, StringComparer.Ordinal))
            {
                var first = group.First().Program;
                var log = inputs.Of(first.Source, first.Log, first.View.KeyFields);
                foreach (var views in job.Groups([.. group]))
                    job.Run(log, first.Source, views, outputs, cancellationToken);
            }

            foreach (var output in outputs.Values)
                output.Flush();
            return new VectorComparison(service, spine, outputs, options.MaxDifferences).Run();
        }
        finally
        {
            foreach (var output in outputs.Values)
                output.Dispose();
        }
    }
}
