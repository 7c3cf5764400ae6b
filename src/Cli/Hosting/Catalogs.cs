using StreamMl.FeatureEngine.Validation;
using StreamMl.Infrastructure.Catalogs;
using StreamMl.Shared.Definitions;
using StreamMl.Shared.Definitions.Building;

namespace StreamMl.Cli.Hosting;

/// <summary>Loads catalogues for commands.</summary>
internal static class Catalogs
{
    /// <summary>Reads and validates; warnings go to standard error.</summary>
    /// <exception cref="CatalogException">The catalogue has errors.</exception>
    public static Catalog Load(string path)
    {
        var result = Check(path);
        foreach (var warning in result.Diagnostics.Where(d => d.Severity == Severity.Warning))
            Console.Error.WriteLine(warning);
        return result.Require();
    }

    /// <summary>The catalogue and everything that was found about it.</summary>
    public static CatalogResult Check(string path)
    {
        if (!File.Exists(path))
            throw new FileNotFoundException($"there is no catalogue at {Path.GetFullPath(path)}; name one with --catalog FILE");
        return CatalogValidator.Validate(CatalogFile.Load(path));
    }
}
