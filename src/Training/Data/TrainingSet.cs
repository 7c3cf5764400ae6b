using System.Security.Cryptography;
using StreamMl.Infrastructure.Tables;
using StreamMl.Infrastructure.TrainingSets;
using StreamMl.Shared.Events;

namespace StreamMl.Training.Data;

/// <summary>
/// A training set as <c>streamml backfill</c> writes it: <c>manifest.json</c> and its Arrow files, mapped into memory. Opening reads headers; values stay where
/// they are until somebody reads them. Rows count from 0 through all files. Thread-safe for reading.
/// </summary>
public sealed class TrainingSet : IDisposable
{
    private readonly List<MappedTable> tables = [];
    private readonly List<SetChunk> chunks = [];
    private readonly Dictionary<string, int> indexByName = new(StringComparer.Ordinal);

    private TrainingSet(string directory, TrainingManifest manifest, string manifestHash)
    {
        Directory = directory;
        Manifest = manifest;
        ManifestHash = manifestHash;
        for (var i = 0; i < manifest.Columns.Count; i++)
            indexByName.Add(manifest.Columns[i].Name, i);
    }

    public string Directory { get; }

    public TrainingManifest Manifest { get; }

    /// <summary>SHA-256 of manifest.json, which has the SHA-256 of every file: it names the data.</summary>
    public string ManifestHash { get; }

    public int Rows { get; private set; }

    internal IReadOnlyList<SetChunk> Chunks => chunks;

    /// <param name="directory">The folder with manifest.json.</param>
    /// <exception cref="TrainingException">There is no training set, or its files are not those of the manifest.</exception>
    public static TrainingSet Open(string directory)
    {
        var path = Path.Combine(directory, TrainingManifest.FileName);
        if (!File.Exists(path))
            throw new TrainingException($"{Path.GetFullPath(directory)} is no training set: there is no {TrainingManifest.FileName}. Make one by `streamml backfill SERVICE --out {directory}`");
        var set = new TrainingSet(directory, TrainingManifest.Load(directory), Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(path))));
        try
        {
            foreach (var file in set.Manifest.Files)
                set.Add(file);
        }
        catch
        {
            set.Dispose();
            throw;
        }

        return set;
    }

    /// <summary>Reads every file and compares it with its hash in the manifest.</summary>
    /// <exception cref="TrainingException">One is another.</exception>
    public void Verify()
    {
        foreach (var file in Manifest.Files)
        {
            using var stream = File.OpenRead(Path.Combine(Directory, file.Name));
            if (Convert.ToHexStringLower(SHA256.HashData(stream)) != file.Sha256)
                throw new TrainingException($"{Path.Combine(Directory, file.Name)} is not the file that the manifest names: make the set again by `streamml backfill`, or restore it from a copy");
        }
    }

    /// <summary>The column's place, or -1.</summary>
    public int IndexOf(string column) => indexByName.GetValueOrDefault(column, -1);

    /// <exception cref="TrainingException">There is none.</exception>
    public int RequireColumn(string column, string what)
    {
        var index = IndexOf(column);
        if (index >= 0)
            return index;
        var near = Shared.Definitions.Suggestion.For(column, indexByName.Keys);
        throw new TrainingException(
            $"{what} names column '{column}', which the training set in {Directory} does not have. "
            + (near is null ? $"It has {string.Join(", ", Manifest.Columns.Take(30).Select(c => c.Name))}{(Manifest.Columns.Count > 30 ? ", ..." : "")}" : $"Did you mean '{near}'?"));
    }

    public FieldType TypeOf(int column) => Enum.Parse<FieldType>(Manifest.Columns[column].Type);

    /// <summary>The first column of a role, or -1.</summary>
    public int ColumnOfRole(string role) => Manifest.Columns.ToList().FindIndex(c => c.Role == role);

    /// <summary>A whole column as numbers, NaN for null: booleans 0 and 1, timestamps microseconds.</summary>
    internal double[] Numbers(int column)
    {
        var values = new double[Rows];
        foreach (var chunk in chunks)
        {
            for (var i = 0; i < chunk.Rows; i++)
                values[chunk.FirstRow + i] = chunk.Columns[column].Number(i);
        }

        return values;
    }

    /// <summary>A whole column of lanes; <paramref name="ifNull"/> for null.</summary>
    internal long[] Lanes(int column, long ifNull)
    {
        var values = new long[Rows];
        foreach (var chunk in chunks)
        {
            for (var i = 0; i < chunk.Rows; i++)
                values[chunk.FirstRow + i] = chunk.Columns[column].IsValid(i) ? chunk.Columns[column].Lane(i) : ifNull;
        }

        return values;
    }

    /// <summary>The chunk in which a row lies. Looks at the hint first: rows are mostly read in order.</summary>
    internal SetChunk ChunkOf(int row, SetChunk? hint)
    {
        if (hint is not null && (uint)(row - hint.FirstRow) < (uint)hint.Rows)
            return hint;
        var (low, high) = (0, chunks.Count - 1);
        while (low < high)
        {
            var middle = (low + high + 1) / 2;
            if (chunks[middle].FirstRow <= row)
                low = middle;
            else
                high = middle - 1;
        }

        return chunks[low];
    }

    public void Dispose()
    {
        foreach (var table in tables)
            table.Dispose();
        tables.Clear();
    }

    private void Add(ManifestFile file)
    {
        var path = Path.Combine(Directory, file.Name);
        if (!File.Exists(path))
            throw new TrainingException($"{path} is missing, which the manifest names: make the set again by `streamml backfill`, or restore it from a copy");
        if (new FileInfo(path).Length != file.Bytes)
            throw new TrainingException($"{path} has {new FileInfo(path).Length} bytes and the manifest says {file.Bytes}: make the set again by `streamml backfill`, or restore it from a copy");
        var table = new MappedTable(path);
        tables.Add(table);
        var columns = Manifest.Columns.Select(c => table.Schema.IndexOf(c.Name) is >= 0 and var i
            ? table.Columns[i]
            : throw new TrainingException($"{path} has no column '{c.Name}', which the manifest names: make the set again by `streamml backfill`")).ToArray();
        foreach (var batch in table.Batches.Where(b => b.Length > 0))
        {
            chunks.Add(new SetChunk(Rows, batch.Length, [.. columns.Select((c, i) => new SetColumn(batch.Column(c), Manifest.Columns[i].Name))]));
            Rows = checked(Rows + batch.Length);
        }
    }
}
