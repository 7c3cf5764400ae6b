namespace StreamMl.Training.Tests;

/// <summary>Finds the repository from where the tests run.</summary>
internal static class RepositoryRoot
{
    public static string Find()
    {
        var directory = new DirectoryInfo(AppContext.BaseDirectory);
        while (directory is not null && !File.Exists(Path.Combine(directory.FullName, "StreamMl.sln")))
            directory = directory.Parent;
        return directory?.FullName ?? throw new InvalidOperationException($"no StreamMl.sln above {AppContext.BaseDirectory}");
    }

    public static string FlightsCatalog => Path.Combine(Find(), "samples", "flights", "catalog.yaml");
}
