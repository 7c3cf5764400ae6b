using System.Security.Cryptography;
using System.Text;
using StreamMl.Infrastructure.Archive;

namespace StreamMl.BatchBackfill.Output;

/// <summary>
/// What an unfinished backfill has done, in <c>.scratch</c> beside its output: a fingerprint of the request and its inputs, and a marker per step
/// that is complete and on the disk. After a kill the same request goes on behind the last marker; another request starts anew.
/// </summary>
internal sealed class JobState
{
    public const string DirectoryName = ".scratch";
    private const string FingerprintName = "job";

    public JobState(string output, string request)
    {
        Directory = Path.Combine(output, DirectoryName);
        var fingerprint = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(request)));
        var path = Path.Combine(Directory, FingerprintName);
        IsResumed = File.Exists(path) && File.ReadAllText(path) == fingerprint;
        if (IsResumed)
        {
            DurableFile.Discard(Directory);
            DurableFile.Discard(output);
            return;
        }

        if (System.IO.Directory.Exists(Directory))
            System.IO.Directory.Delete(Directory, recursive: true);
        // Parts that another request left would be taken for this one's.
        foreach (var part in System.IO.Directory.Exists(output) ? System.IO.Directory.EnumerateFiles(output, "part-*.arrow*") : [])
            File.Delete(part);
        DurableFile.WriteAllBytes(path, Encoding.UTF8.GetBytes(fingerprint));
    }

    public string Directory { get; }

    /// <summary>An earlier run of the same request was killed.</summary>
    public bool IsResumed { get; }

    public string PathOf(string name) => Path.Combine(Directory, name);

    /// <summary>What the step noted when it was complete; null where it is not.</summary>
    public string? Find(string step) => File.Exists(PathOf(step + ".done")) ? File.ReadAllText(PathOf(step + ".done")) : null;

    /// <summary>The step's files must be on the disk before.</summary>
    public void Complete(string step, string note) => DurableFile.WriteAllBytes(PathOf(step + ".done"), Encoding.UTF8.GetBytes(note));

    public void Remove() => System.IO.Directory.Delete(Directory, recursive: true);
}
