using StreamMl.Cli.Commands;

namespace StreamMl.Cli.Demo;

/// <summary>What a demo writes under its directory.</summary>
internal static class DemoFiles
{
    private static readonly string[] Folders = ["archive", "served", "training", "live", "live-exact", "leaky", "leaky-live", "scored", "models", "runs", "registry"];
    private static readonly string[] Files = ["report.json", "ledger.json", CommonOptions.SavedCatalog, "endpoints.json", "train.yaml", "leaky-landings.arrow"];

    /// <summary>Removes what an earlier demo wrote, and nothing else.</summary>
    public static void Clear(string directory)
    {
        foreach (var folder in Folders.Select(f => Path.Combine(directory, f)).Where(Directory.Exists))
            Directory.Delete(folder, recursive: true);
        Directory.CreateDirectory(directory);
        foreach (var file in Files)
            File.Delete(Path.Combine(directory, file));
    }
}
