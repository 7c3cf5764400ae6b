using StreamMl.BatchBackfill.PointInTime;
using StreamMl.BatchBackfill.Spines;
using StreamMl.FeatureEngine.Services;
using StreamMl.Infrastructure.Archive;
using StreamMl.Shared.Definitions;
using StreamMl.Shared.Events;
using StreamMl.Shared.Features;

namespace StreamMl.BatchBackfill.Parity;

/// <summary>A vector that was served, by what it was read with.</summary>
/// <param name="AsOfUs">The time of the read.</param>
/// <param name="Keys">By the service's key, its canonical text; null: a null key.</param>
/// <param name="Positions">By view, the prefix that it was read at.</param>
public sealed record ServedRead(long AsOfUs, IReadOnlyDictionary<string, string?> Keys, IReadOnlyDictionary<string, ServedPosition> Positions);

/// <summary>Computes one served vector again from the archive: what <c>parity</c> does for all. Thread-safe.</summary>
public static class VectorRecompute
{
    /// <returns>The service's columns.</returns>
    /// <exception cref="BackfillException">A prefix is not archived, or was read from another partition than the entity's.</exception>
    /// <exception cref="InvalidDataException">The archive is damaged.</exception>
    /// <exception cref="KeyNotFoundException">A key or view of the service is not named.</exception>
    public static FeatureRow Run(Catalog catalog, string service, string archive, ServedRead read, CancellationToken cancellationToken = default)
    {
        var scratch = Directory.CreateTempSubdirectory("streamml-recompute-").FullName;
        try
        {
            Write(scratch, ServiceProgram.Compile(catalog, catalog.Service(service)), read);
            var options = new ParityOptions { Service = service, Archive = archive, Served = scratch, Cores = 1 };
            using var vectors = RecomputedVectors.Make(catalog, options, scratch, _ => { }, cancellationToken);
            var row = new FeatureRow(vectors.Service.Columns.Count);
            foreach (var output in vectors.Outputs.Values)
                Read(output, vectors.Service.Columns, row);
            return row;
        }
        finally
        {
            Directory.Delete(scratch, recursive: true);
        }
    }

    private static void Write(string directory, ServiceProgram service, ServedRead read)
    {
        using var writer = new ServedVectorWriter(directory, ServedPrefixes.SchemaOf(service), "one");
        writer.Append(
            read.AsOfUs, null, [.. service.Keys.Select(k => read.Keys[k.Name])], [.. service.Views.Select(v => read.Positions[v.Name])], new FeatureRow(service.Columns.Count));
    }

    private static void Read(FeatureScratch output, IReadOnlyList<FeatureColumn> columns, FeatureRow row)
    {
        for (var i = 0; i < output.ServiceColumns.Count; i++)
        {
            var column = output.ServiceColumns[i];
            var one = new EventColumn(columns[column].Type, 1);
            var arena = new Utf8Arena(64);
            output.Read(i, 0, 1, one, arena);
            if (one.Valid[0] == 0)
                row.SetNull(column);
            else if (one.Type == FieldType.String)
                row.Set(column, arena.Slice(one.Lanes[0]));
            else
                row.Set(column, one.Lanes[0]);
        }
    }
}
