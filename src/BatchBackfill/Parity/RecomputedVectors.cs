using StreamMl.BatchBackfill.Logs;
using StreamMl.BatchBackfill.PointInTime;
using StreamMl.FeatureEngine.Services;
using StreamMl.Infrastructure.Archive;
using StreamMl.Shared.Definitions;

namespace StreamMl.BatchBackfill.Parity;

/// <summary>Served vectors, and what the archive gives at the positions that they name. Owns its working files.</summary>
internal sealed class RecomputedVectors : IDisposable
{
    private RecomputedVectors(ServiceProgram service, ServedSpine spine, IReadOnlyDictionary<string, FeatureScratch> outputs) => (Service, Spine, Outputs) = (service, spine, outputs);

    public ServiceProgram Service { get; }

    public ServedSpine Spine { get; }

    /// <summary>By view.</summary>
    public IReadOnlyDictionary<string, FeatureScratch> Outputs { get; }

    public static RecomputedVectors Make(Catalog catalog, ParityOptions options, string scratch, Action<BackfillProgress> progress, CancellationToken cancellationToken)
    {
        var service = ServiceProgram.Compile(catalog, catalog.Service(options.Service));
        var spine = ServedSpine.Build(Path.Combine(scratch, "served.arrow"), options.Served, service, Math.Max(1, options.Every));
        var outputs = service.Views.ToDictionary(v => v.Name, v => new FeatureScratch(Path.Combine(scratch, $"{v.Name}.features"), v, service.Columns, spine.Table.Rows), StringComparer.Ordinal);
        var vectors = new RecomputedVectors(service, spine, outputs);
        try
        {
            vectors.Compute(options, scratch, progress, cancellationToken);
            return vectors;
        }
        catch
        {
            vectors.Dispose();
            throw;
        }
    }

    public void Dispose()
    {
        foreach (var output in Outputs.Values)
            output.Dispose();
    }

    private void Compute(ParityOptions options, string scratch, Action<BackfillProgress> progress, CancellationToken cancellationToken)
    {
        var inputs = new LogInputs(new ArchiveLayout(options.Archive), [], TimeSpan.Zero, 0);
        var limits = new JobLimits(options.MemoryBytes, options.MemoryBytes / 2, options.Cores, 0, scratch);
        var job = new PointInTimeJob(Service, new SpineReads(Spine.Table, 0, null, Spine), Spine.Table.Rows, byEventTime: false, limits, progress);
        foreach (var group in Service.Views.GroupBy(v => v.Program.Log, StringComparer.Ordinal).OrderBy(g => g.Key, StringComparer.Ordinal))
        {
            var first = group.First().Program;
            var log = inputs.Of(first.Source, first.Log, first.View.KeyFields);
            foreach (var views in job.Groups([.. group]))
                job.Run(log, first.Source, views, Outputs, cancellationToken);
        }

        foreach (var output in Outputs.Values)
            output.Flush();
    }
}
