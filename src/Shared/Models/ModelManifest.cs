using System.Security.Cryptography;
using System.Text;

namespace StreamMl.Shared.Models;

/// <summary>A file of a model's folder.</summary>
/// <param name="Name">File name, without folders.</param>
/// <param name="Bytes">Its length.</param>
/// <param name="Sha256">SHA-256 of its bytes, lower-case hex.</param>
public sealed record ModelFile(string Name, long Bytes, string Sha256);

/// <summary>A column that the model reads.</summary>
/// <param name="Name">As in the training set and in a served vector.</param>
/// <param name="Type">Boolean, Int64, Float64, String or Timestamp.</param>
/// <param name="Origin">Stored (a feature of the service) or Request (a field of the trigger, or given by the caller).</param>
public sealed record ModelInputColumn(string Name, string Type, string Origin);

/// <summary>What a model was made from. What is null was not known, and the model card says so.</summary>
public sealed record ModelLineage
{
    /// <summary>SHA-256 of the training set's manifest.json.</summary>
    public required string? TrainingManifestHash { get; init; }

    /// <summary>The tracked run that made it, as <c>experiment/run-id</c>.</summary>
    public required string? RunId { get; init; }

    /// <summary>Commit of the user's repository, with <c>-dirty</c> behind it where files differed.</summary>
    public required string? GitCommit { get; init; }

    public required long? Seed { get; init; }

    /// <summary>The whole training configuration, as text: with it, the seed and the training set the same model comes out.</summary>
    public required string? Config { get; init; }
}

/// <summary>
/// What a registered model is: <c>manifest.json</c> of its folder. It has no time in it: the same training gives the same bytes and so the same version.
/// </summary>
public sealed record ModelManifest
{
    public const string FileName = "manifest.json";

    /// <summary>Version of this file's form.</summary>
    public int Form { get; init; } = 1;

    public required string Name { get; init; }

    /// <summary>Binary, Multiclass or Regression.</summary>
    public required string Task { get; init; }

    /// <summary>The feature service whose vectors it reads.</summary>
    public required string Service { get; init; }

    /// <summary>Hash of that service's definition: other definitions compute other values.</summary>
    public required string ServiceHash { get; init; }

    public required IReadOnlyList<ModelInputColumn> Inputs { get; init; }

    /// <summary>The label's column in the training set.</summary>
    public required string? Label { get; init; }

    /// <summary>The classes in the order of the scores, for a multiclass model; else empty.</summary>
    public IReadOnlyList<string> Classes { get; init; } = [];

    public required ModelLineage Lineage { get; init; }

    /// <summary>What the folder holds beside the manifest, by name. Filled when the model is published.</summary>
    public IReadOnlyList<ModelFile> Files { get; init; } = [];

    public byte[] ToJson() => ModelJson.Write(this);

    /// <summary>The first 16 hex digits of the SHA-256 over the lines "file name, space, SHA-256" of all files in ordinal order, the manifest among them.</summary>
    public static string VersionOf(IEnumerable<ModelFile> files, ReadOnlySpan<byte> manifest)
    {
        var own = new ModelFile(FileName, manifest.Length, Convert.ToHexStringLower(SHA256.HashData(manifest)));
        var lines = files.Append(own).OrderBy(f => f.Name, StringComparer.Ordinal).Select(f => $"{f.Name} {f.Sha256}\n");
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Concat(lines))))[..ModelNames.VersionLength];
    }
}

/// <summary>The files of a model's folder that have a meaning.</summary>
public static class ModelFiles
{
    /// <summary>The scoring document: what the model engine runs.</summary>
    public const string Model = "model.json";

    /// <summary>Reference profiles of every input and of the score.</summary>
    public const string Profile = "profile.json";

    /// <summary>Rows of inputs with the scores that they must give.</summary>
    public const string Golden = "golden.arrow";

    /// <summary>What was measured, with slices (<see cref="ModelMetrics"/>).</summary>
    public const string Metrics = "metrics.json";

    /// <summary>The model card, written when the model is published.</summary>
    public const string Card = "card.md";

    /// <summary>The report for people.</summary>
    public const string Report = "report.html";

    /// <summary>Without these there is no model.</summary>
    public static IReadOnlyList<string> Required { get; } = [Model, Golden];
}
