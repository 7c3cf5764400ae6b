using System.Security.Cryptography;
using StreamMl.Shared.Models;

namespace StreamMl.Infrastructure.Models;

/// <summary>Scores rows: <paramref name="scores"/> takes one value per row, or one per row and class (row by row) for a multiclass model.</summary>
public delegate void ScoreRows(Shared.Events.EventBatch inputs, Span<double> scores);

/// <summary>A registered model on disk whose bytes are what its version says. Immutable; thread-safe.</summary>
public sealed class ModelFolder
{
    private readonly string directory;

    private ModelFolder(string directory, ModelVersion version, ModelManifest manifest)
    {
        this.directory = directory;
        Version = version;
        Manifest = manifest;
    }

    public ModelVersion Version { get; }

    public ModelManifest Manifest { get; }

    /// <summary>Opens a folder and checks its manifest against its version; files are checked when they are read, or all by <see cref="Verify"/>.</summary>
    /// <exception cref="ModelException">The manifest is missing, damaged, or another model's.</exception>
    internal static ModelFolder Open(string directory, ModelVersion version)
    {
        var path = Path.Combine(directory, ModelManifest.FileName);
        if (!File.Exists(path))
            throw new ModelException($"{version} is not in the registry: there is no {path}; `streamml models list` shows what is");
        var bytes = File.ReadAllBytes(path);
        var manifest = ModelJson.Read<ModelManifest>(bytes, path);
        var found = ModelManifest.VersionOf(manifest.Files, bytes);
        if (found != version.Version)
            throw new ModelException($"{path} is damaged: its content is version {found}, not {version.Version}; restore the folder from a copy, or train the model again");
        return new ModelFolder(directory, version, manifest);
    }

    public bool Has(string file) => Manifest.Files.Any(f => f.Name == file);

    /// <summary>Full path of a file, for readers that map it; <see cref="Read"/> checks its bytes.</summary>
    public string PathOf(string file) => Path.Combine(directory, Find(file).Name);

    /// <summary>A file's bytes, which are those that were published.</summary>
    /// <exception cref="ModelException">The file is missing or damaged.</exception>
    public byte[] Read(string file)
    {
        var expected = Find(file);
        var path = Path.Combine(directory, file);
        if (!File.Exists(path))
            throw new ModelException($"{Version} is damaged: {file} is missing; restore the folder from a copy, or train the model again");
        var bytes = File.ReadAllBytes(path);
        var hash = Convert.ToHexStringLower(SHA256.HashData(bytes));
        return hash == expected.Sha256
            ? bytes
            : throw new ModelException($"{Version} is damaged: {file} has SHA-256 {hash[..16]}…, the manifest says {expected.Sha256[..16]}…; restore the folder from a copy, or train the model again");
    }

    /// <summary>Checks every file's bytes.</summary>
    /// <exception cref="ModelException">One is missing or damaged.</exception>
    public void Verify()
    {
        foreach (var file in Manifest.Files)
            _ = Read(file.Name);
    }

    /// <summary>The features that the model reads must be computed as those it was trained on.</summary>
    /// <param name="service">The service that would serve it.</param>
    /// <param name="serviceHash">Hash of that service's definition in the catalogue or the store.</param>
    /// <exception cref="ModelException">Another service, or another definition.</exception>
    public void RequireService(string service, string serviceHash)
    {
        if (service != Manifest.Service)
            throw new ModelException($"{Version} reads service '{Manifest.Service}', not '{service}'; serve it there, or train one for '{service}'");
        if (serviceHash != Manifest.ServiceHash)
        {
            throw new ModelException(
                $"{Version} was trained on definition {Short(Manifest.ServiceHash)} of service '{service}', and {Short(serviceHash)} is what is served: its features would be other values. "
                + "Train it again on a backfill of the present definition, or go back to the definition that it knows");
        }
    }

    /// <summary>The rows that hold the model to its scores.</summary>
    public GoldenRows Golden()
    {
        _ = Read(ModelFiles.Golden);
        return GoldenRows.Load(PathOf(ModelFiles.Golden));
    }

    /// <summary>Null where the model came without.</summary>
    public ModelMetrics? Metrics() => Has(ModelFiles.Metrics) ? ModelMetrics.Parse(Read(ModelFiles.Metrics), PathOf(ModelFiles.Metrics)) : null;

    /// <summary>The loaded model must give the golden rows' scores to <see cref="ModelStoreOptions.GoldenTolerance"/>.</summary>
    /// <exception cref="ModelException">One differs by more.</exception>
    public void RequireGolden(ScoreRows score)
    {
        if (Golden().Compare(score) is { } difference)
            throw new ModelException($"{Version} is refused: {difference}. The scoring code is not the one that it was trained with, or the model's numbers are damaged: train it again with this version of the program, or serve it with the one that made it");
    }

    private ModelFile Find(string file) => Manifest.Files.FirstOrDefault(f => f.Name == file)
        ?? throw new ModelException($"{Version} has no {file}; it has {string.Join(", ", Manifest.Files.Select(f => f.Name))}");

    private static string Short(string hash) => hash.Length > 12 ? hash[..12] : hash;
}
