using StreamMl.Infrastructure.Models;
using StreamMl.Infrastructure.Tables;
using StreamMl.Infrastructure.TrainingSets;
using StreamMl.Shared.Events;
using StreamMl.Shared.Models;

namespace StreamMl.OnlineScorer.Scoring;

/// <summary>What a batch was.</summary>
/// <param name="Model">The version that scored it.</param>
/// <param name="Rows">Its rows.</param>
/// <param name="Files">The files that were written, one for each that was read.</param>
public sealed record BatchResult(ModelVersion Model, long Rows, IReadOnlyList<string> Files);

/// <summary>
/// Scores Arrow tables whose columns have the names of the model's inputs: a training set, or any files. The code is that of the online scorer, so the same vector gives
/// the same bits. Each file becomes one of the same name with its columns that are no inputs, the score (or a column a class) and the decision. Thread-safe.
/// </summary>
public static class BatchScorer
{
    private const int RowsAtOnce = 4_096;

    /// <param name="folder">The model; its files are checked.</param>
    /// <param name="factory">Runs it.</param>
    /// <param name="data">A training set's directory, a directory of .arrow files, or one such file.</param>
    /// <param name="output">The directory that the results go to.</param>
    /// <param name="cancellationToken">Stops between two batches; the file that is being written is not completed.</param>
    /// <exception cref="ModelException">The model is refused, or does not fit the table.</exception>
    public static BatchResult Run(ModelFolder folder, IModelCodeFactory factory, string data, string output, CancellationToken cancellationToken = default)
    {
        folder.Verify();
        if (Directory.Exists(data) && File.Exists(Path.Combine(data, TrainingManifest.FileName)))
        {
            var manifest = TrainingManifest.Load(data);
            folder.RequireService(manifest.Service, manifest.ServiceHash);
        }

        var code = ModelLoader.LoadCode(folder, factory);
        var files = FilesOf(data);
        Directory.CreateDirectory(output);
        var written = new List<string>();
        var rows = 0L;
        foreach (var file in files)
        {
            var target = Path.Combine(output, Path.GetFileName(file));
            if (Path.GetFullPath(target) == Path.GetFullPath(file))
                throw new ModelException($"{target} would be written over what is read; choose another --out");
            rows += Score(code, file, target, cancellationToken);
            written.Add(target);
        }

        return new BatchResult(folder.Version, rows, written);
    }

    private static IReadOnlyList<string> FilesOf(string data)
    {
        if (File.Exists(data))
            return [data];
        var files = Directory.Exists(data) ? Directory.EnumerateFiles(data, "*.arrow").Order(StringComparer.Ordinal).ToList() : [];
        return files.Count > 0 ? files : throw new ModelException($"{data} has no .arrow file: name a training set (`streamml backfill` makes one), a directory of Arrow files or one such file");
    }

    private static long Score(IModelCode code, string from, string to, CancellationToken cancellationToken)
    {
        using var reader = new ArrowTableReader(from);
        _ = ModelLoader.TableColumns(code, reader.Schema);
        var inputs = code.Inputs.Select(i => i.Name).ToHashSet(StringComparer.Ordinal);
        var results = ResultFields(code);
        int[] kept = [.. Enumerable.Range(0, reader.Schema.Fields.Count).Where(i => !inputs.Contains(reader.Schema.Fields[i].Name) && results.All(r => r.Name != reader.Schema.Fields[i].Name))];
        var schema = new EventSchema("scored", [.. kept.Select(i => reader.Schema.Fields[i]), .. results]);
        var (read, write) = (new EventBatch(reader.Schema, RowsAtOnce), new EventBatch(schema, RowsAtOnce));
        var scores = new double[RowsAtOnce * code.Width];
        using var writer = new ArrowTableWriter(to, schema);
        var rows = 0L;
        while (reader.Read(read, RowsAtOnce))
        {
            cancellationToken.ThrowIfCancellationRequested();
            ModelLoader.ScoreTable(code, read, scores);
            write.Clear();
            write.EnsureCapacity(read.Count);
            for (var c = 0; c < kept.Length; c++)
                CopyColumn(read, kept[c], write, c);
            SetResults(code, scores, read.Count, write, kept.Length);
            write.Count = read.Count;
            writer.Write(write);
            rows += read.Count;
        }

        writer.Commit();
        return rows;
    }

    private static IReadOnlyList<EventField> ResultFields(IModelCode code) =>
    [
        new("score", FieldType.Float64, Nullable: false),
        .. code.Width == 1 ? [] : Enumerable.Range(0, code.Width).Select(i => new EventField($"score_{i}", FieldType.Float64, Nullable: false)),
        new("decision", FieldType.String, Nullable: true),
    ];

    private static void SetResults(IModelCode code, double[] scores, int rows, EventBatch write, int first)
    {
        for (var row = 0; row < rows; row++)
        {
            var own = scores.AsSpan(row * code.Width, code.Width);
            var verdict = Verdict.Of(code, null, own);
            write.Columns[first].Set(row, verdict.Score);
            for (var i = 0; code.Width > 1 && i < code.Width; i++)
                write.Columns[first + 1 + i].Set(row, own[i]);
            var decision = write.Columns[^1];
            decision.SetNull(row);
            if (verdict.Decision is { } text)
                decision.Set(row, write.Arena.Append(text));
        }
    }

    private static void CopyColumn(EventBatch from, int column, EventBatch to, int into)
    {
        var (source, target) = (from.Columns[column], to.Columns[into]);
        source.Valid.AsSpan(0, from.Count).CopyTo(target.Valid);
        source.Lanes.AsSpan(0, from.Count).CopyTo(target.Lanes);
        for (var row = 0; source.Type == FieldType.String && row < from.Count; row++)
        {
            if (source.Valid[row] != 0)
                target.Lanes[row] = to.Arena.Append(from.Arena.Slice(source.Lanes[row]));
        }
    }
}
