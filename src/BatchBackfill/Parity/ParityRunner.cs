using StreamMl.Shared.Definitions;

namespace StreamMl.BatchBackfill.Parity;

/// <summary>
/// Computes served vectors again from the archive, each at the positions that it names, and compares bytes: lanes and validity bit by bit, texts
/// byte by byte. Changes nothing. Thread-safe.
/// </summary>
public static class ParityRunner
{
    /// <exception cref="BackfillException">A prefix is not archived, or was read from another partition than the entity's.</exception>
    /// <exception cref="InvalidDataException">The archive or the served vectors are damaged.</exception>
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
        using var vectors = RecomputedVectors.Make(catalog, options, scratch, progress, cancellationToken);
        return new VectorComparison(vectors.Service, vectors.Spine, vectors.Outputs, options.MaxDifferences).Run();
    }
}
