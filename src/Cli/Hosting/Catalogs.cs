using StreamMl.Cli.Commands;
using StreamMl.Infrastructure.Catalogs;
using StreamMl.Shared.Definitions;

namespace StreamMl.Cli.Hosting;

/// <summary>Loads catalogues for commands.</summary>
internal static class Catalogs
{
    /// <summary>Reads and validates; warnings go to standard error.</summary>
    /// <exception cref="CatalogErrorsException">The catalogue has errors.</exception>
    public static Catalog Load(string path)
    {
        var (catalog, diagnostics) = Check(path);
        if (catalog is null || diagnostics.Any(d => d.Severity == Severity.Error))
            throw new CatalogErrorsException(path, diagnostics);
        foreach (var warning in diagnostics)
            Console.Error.WriteLine(warning);
        return catalog;
    }

    /// <summary>The catalogue (null where it could not be built) and everything that was found about it.</summary>
    public static (Catalog? Catalog, IReadOnlyList<Diagnostic> Diagnostics) Check(string path)
    {
        if (!File.Exists(path))
            throw new FileNotFoundException($"there is no catalogue at {Path.GetFullPath(path)}; name one with --catalog, or write a first one with `streamml new DATAFILE`");
        var result = CatalogFile.Load(path);
        return (result.Catalog, result.Diagnostics);
    }
}
