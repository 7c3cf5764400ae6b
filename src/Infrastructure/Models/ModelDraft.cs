using System.Security.Cryptography;
using StreamMl.Infrastructure.Archive;
using StreamMl.Shared.Models;

namespace StreamMl.Infrastructure.Models;

/// <summary>
/// A model that is being put together in a folder of its own: write files, then <see cref="ModelStore.PublishAsync"/>. Disposing throws away what was
/// not published. Not thread-safe.
/// </summary>
public sealed class ModelDraft : IDisposable
{
    private bool published;

    internal ModelDraft(string directory, ModelManifest manifest)
    {
        Directory = directory;
        Manifest = manifest;
        System.IO.Directory.CreateDirectory(directory);
    }

    /// <summary>Where its files are written, by the names in <see cref="ModelFiles"/> or any others; no folders in it.</summary>
    public string Directory { get; }

    public ModelManifest Manifest { get; }

    /// <summary>Parts of the model card that people wrote, by key of <see cref="ModelCard.Questions"/>.</summary>
    public IReadOnlyDictionary<string, string> Card { get; set; } = new Dictionary<string, string>(StringComparer.Ordinal);

    public string PathOf(string file) => Path.Combine(Directory, file);

    public void Write(string file, ReadOnlySpan<byte> bytes) => DurableFile.WriteAllBytes(PathOf(file), bytes);

    public void Dispose()
    {
        if (!published && System.IO.Directory.Exists(Directory))
            System.IO.Directory.Delete(Directory, recursive: true);
    }

    /// <summary>Writes the manifest over what the folder holds, and has all of it on the disk.</summary>
    internal ModelVersion Seal()
    {
        var missing = ModelFiles.Required.Where(f => !File.Exists(PathOf(f))).ToList();
        if (missing.Count > 0)
            throw new ModelException($"model '{Manifest.Name}' lacks {string.Join(" and ", missing)}; write them into the draft before publishing");
        File.Delete(PathOf(ModelManifest.FileName));
        if (!File.Exists(PathOf(ModelFiles.Card)))
            Write(ModelFiles.Card, System.Text.Encoding.UTF8.GetBytes(ModelCard.Write(Manifest, Metrics(), Card)));
        var manifest = Manifest with { Files = [.. System.IO.Directory.EnumerateFiles(Directory).Order(StringComparer.Ordinal).Select(Describe)] };
        var json = manifest.ToJson();
        Write(ModelManifest.FileName, json);
        return new ModelVersion(manifest.Name, ModelManifest.VersionOf(manifest.Files, json));
    }

    private ModelMetrics? Metrics() => File.Exists(PathOf(ModelFiles.Metrics)) ? ModelMetrics.Parse(File.ReadAllBytes(PathOf(ModelFiles.Metrics)), PathOf(ModelFiles.Metrics)) : null;

    /// <summary>Gives the folder its name; false where the version is there already, which then is the same bytes.</summary>
    internal bool MoveTo(string target)
    {
        if (System.IO.Directory.Exists(target))
            return false;
        System.IO.Directory.Move(Directory, target);
        DurableFile.SyncDirectory(Path.GetDirectoryName(target)!);
        published = true;
        return true;
    }

    /// <summary>Files that others wrote into the draft are flushed too: a rename must not overtake their bytes.</summary>
    private static ModelFile Describe(string path)
    {
        using var stream = new FileStream(path, FileMode.Open, FileAccess.ReadWrite, FileShare.Read);
        stream.Flush(flushToDisk: true);
        return new ModelFile(Path.GetFileName(path), stream.Length, Convert.ToHexStringLower(SHA256.HashData(stream)));
    }
}
