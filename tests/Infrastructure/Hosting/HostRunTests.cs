using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using StreamMl.Infrastructure.Hosting;

namespace StreamMl.Infrastructure.Tests.Hosting;

public sealed class HostRunTests
{
    // The process ended with exit code 0, and whoever restarts what failed let it lie.
    [Fact]
    public async Task RunToEnd_WorkerFails_ThrowsWhatItThrew()
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Services.AddHostedService<Failing>();
        (await Should.ThrowAsync<InvalidDataException>(() => builder.Build().RunToEndAsync(CancellationToken.None))).Message.ShouldBe("offset 7 is gone");
    }

    [Fact]
    public async Task RunToEnd_StoppedFromOutside_Returns()
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        using var host = builder.Build();
        var running = host.RunToEndAsync(CancellationToken.None);
        host.Services.GetRequiredService<IHostApplicationLifetime>().StopApplication();
        await running;
    }

    private sealed class Failing : BackgroundService
    {
        protected override async Task ExecuteAsync(CancellationToken stoppingToken)
        {
            await Task.Yield();
            throw new InvalidDataException("offset 7 is gone");
        }
    }
}
