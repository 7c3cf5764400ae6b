using System.Globalization;
using System.Security.Cryptography;
using StreamMl.BatchBackfill.PointInTime;
using StreamMl.BatchBackfill.Spines;
using StreamMl.FeatureEngine.Services;
using StreamMl.Infrastructure.Tables;
using StreamMl.Infrastructure.TrainingSets;
using StreamMl.Shared.Events;

namespace StreamMl.BatchBackfill.Output;

/// <summary>
/// Writes the training set: the spine's columns, then the features, in the spine's order, a fixed number of rows per file and per record batch.
/// A file that is there already is kept: it was renamed when it was complete. Files are independent, so several threads write.
/// </summary>
internal sealed class TrainingSetWriter(ServiceProgram service, SpineTable spine, IReadOnlyList<FeatureScratch> views, string directory, int rowsPerFile)
{
    private readonly EventSchema schema = SchemaOf(service, spine);

    public static string PathOf(string directory, int file) => Path.Combine(directory, string.Create(CultureInfo.InvariantCulture, $"part-{file:D5}.arrow"));

    public static EventSchema SchemaOf(ServiceProgram service, SpineTable spine)
    {
        var clash = service.Columns.FirstOrDefault(c => spine.Schema.IndexOf(c.FullName) >= 0);
        return clash is null
            ? new EventSchema(service.Name, [.. spine.Schema.Fields, .. service.Columns.Select(c => new EventField(c.FullName, c.Type, Nullable: true))])
            : throw new BackfillException($"the spine has a column '{clash.FullName}', which is the name of a feature: rename it");
    }

    public IReadOnlyList<ManifestFile> Write(int cores, Action<long> progress, CancellationToken cancellationToken)
    {
        var files = new ManifestFile[(spine.Rows + rowsPerFile - 1) / rowsPerFile];
        var rows = 0L;
        var options = new ParallelOptions { MaxDegreeOfParallelism = cores, CancellationToken = cancellationToken };
        Parallel.For(0, files.Length, options, i =>
        {
            var path = PathOf(directory, i);
            var count = (int)Math.Min(rowsPerFile, spine.Rows - ((long)i * rowsPerFile));
            if (!File.Exists(path))
                WriteFile(path, (long)i * rowsPerFile, count);
            using var stream = File.OpenRead(path);
            files[i] = new ManifestFile(Path.GetFileName(path), count, stream.Length, Convert.ToHexStringLower(SHA256.HashData(stream)));
            progress(Interlocked.Add(ref rows, count));
        });
        return files;
    }

    private void WriteFile(string path, long firstRow, int count)
    {
        using var writer = new ArrowTableWriter(path, schema, new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["streamml.service"] = service.Name,
            ["streamml.service_hash"] = service.Hash,
        });
        using var reader = new ArrowTableReader(spine.Path);
        var batch = new EventBatch(schema, Math.Min(count, SpineTable.BatchRows));
        var part = new EventBatch(reader.Schema, 1);
        var written = 0;
        var seen = 0L;
        while (written < count && reader.Read(part, SpineTable.BatchRows))
        {
            // The spine's batches need not end where a file does.
            var from = (int)Math.Clamp(firstRow + written - seen, 0, part.Count);
            seen += part.Count;
            while (from < part.Count && written < count)
            {
                var rows = Math.Min(Math.Min(part.Count - from, count - written), SpineTable.BatchRows - batch.Count);
                for (var c = 0; c < part.Columns.Count; c++)
                    Copy(part, c, from, batch, rows);
                batch.Count += rows;
                from += rows;
                written += rows;
                if (batch.Count == SpineTable.BatchRows || written == count)
                    Flush(writer, batch, firstRow + written - batch.Count);
            }
        }

        writer.Commit();
    }

    private void Flush(ArrowTableWriter writer, EventBatch batch, long firstRow)
    {
        foreach (var view in views)
        {
            for (var i = 0; i < view.ServiceColumns.Count; i++)
                view.Read(i, firstRow, batch.Count, batch.Columns[spine.Schema.Fields.Count + view.ServiceColumns[i]], batch.Arena);
        }

        writer.Write(batch);
        batch.Clear();
    }

    private static void Copy(EventBatch part, int column, int from, EventBatch batch, int rows)
    {
        var source = part.Columns[column];
        var target = batch.Columns[column];
        source.Valid.AsSpan(from, rows).CopyTo(target.Valid.AsSpan(batch.Count));
        source.Lanes.AsSpan(from, rows).CopyTo(target.Lanes.AsSpan(batch.Count));
        if (source.Type != FieldType.String)
            return;
        for (var i = 0; i < rows; i++)
        {
            if (source.Valid[from + i] != 0)
                target.Lanes[batch.Count + i] = batch.Arena.Append(part.Arena.Slice(source.Lanes[from + i]));
        }
    }
}
