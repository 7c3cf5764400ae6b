using System.CommandLine;
using StreamMl.Cli.Hosting;

namespace StreamMl.Cli.Commands;

/// <summary><c>streamml validate</c>: everything that is wrong with a catalogue, with file, line and remedy.</summary>
internal static class ValidateCommand
{
    public static Command Create()
    {
        var command = new Command("validate", "Check a catalogue: each error says file, line, what was found and what would be right").WithCatalog();
        command.Options.Add(CommonOptions.Directory);
        command.SetAction(arguments =>
        {
            var path = arguments.CatalogPath();
            var result = Catalogs.Check(path);
            foreach (var diagnostic in result.Diagnostics)
                Console.WriteLine(diagnostic);
            if (result.HasErrors)
                return CommandRunner.Failed;
            var catalog = result.Catalog;
            Console.WriteLine($"{path}: {catalog.Sources.Count} sources, {catalog.Views.Count} views with {catalog.Views.Sum(v => v.Features.Count)} features, {catalog.Services.Count} services; no errors");
            return 0;
        });
        return command;
    }
}
