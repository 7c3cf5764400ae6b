using System.CommandLine;

namespace StreamMl.Cli.Commands;

/// <summary>Options of the commands that look at runs, models and training sets.</summary>
internal static class TrackingOptions
{
    public static readonly Option<bool> Json = new("--json") { Description = "Print JSON" };
}
