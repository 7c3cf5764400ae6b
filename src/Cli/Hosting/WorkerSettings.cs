using System.CommandLine;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using StreamMl.Cli.Commands;
using StreamMl.StreamFeatures;

namespace StreamMl.Cli.Hosting;

/// <summary>
/// What a command that does a stream worker's work has in common with `streamml features`: the options of section Features (appsettings.json, environment), and warnings on standard
/// error, as that a server is away.
/// </summary>
internal sealed class WorkerSettings : IDisposable
{
    private readonly IHost host;

    private WorkerSettings(IHost host, string? group)
    {
        this.host = host;
        Features = host.Services.GetRequiredService<IOptions<StreamFeaturesOptions>>().Value;
        Features.GroupId = group ?? Features.GroupId;
    }

    /// <summary>Of the workers; --group wins over the environment.</summary>
    public StreamFeaturesOptions Features { get; }

    public ILoggerFactory Loggers => host.Services.GetRequiredService<ILoggerFactory>();

    /// <exception cref="OptionsValidationException">A value is out of its range.</exception>
    public static WorkerSettings Of(ParseResult arguments)
    {
        var builder = WorkerRunner.NewBuilder(LogLevel.Warning);
        builder.Services.AddStreamFeaturesOptions();
        return new WorkerSettings(builder.Build(), arguments.GetValue(ResetCommand.Group));
    }

    public void Dispose() => host.Dispose();
}
