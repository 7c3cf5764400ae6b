using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using StreamMl.Infrastructure.Registry;

namespace StreamMl.Infrastructure.Embedded;

/// <summary>
/// A schema registry in this process: the part of Confluent's REST interface that its clients ask for, Avro only, on 127.0.0.1.
/// With a directory it keeps what it knows in one file of JSON lines. Thread-safe.
/// </summary>
public sealed class EmbeddedRegistry : IAsyncDisposable
{
    private readonly WebApplication app;
    private readonly RegistryJournal? journal;

    private EmbeddedRegistry(WebApplication app, RegistryJournal? journal, string url)
    {
        this.app = app;
        this.journal = journal;
        Url = url;
    }

    /// <summary>As a client's <c>schema.registry.url</c>.</summary>
    public string Url { get; }

    /// <param name="directory">Where it keeps its file; null for memory only.</param>
    /// <param name="port">0 takes a free one.</param>
    /// <param name="address">Where it listens; null for 127.0.0.1. In a container: any address.</param>
    /// <param name="cancellationToken">Ends the start.</param>
    /// <exception cref="InvalidDataException">The file is damaged before its last line.</exception>
    /// <exception cref="IOException">The port is taken, or another registry has the file open.</exception>
    public static async Task<EmbeddedRegistry> StartAsync(
        string? directory = null, int port = 0, IPAddress? address = null, CancellationToken cancellationToken = default)
    {
        RegistryJournal? opened = null;
        RegistryState state;
        if (directory is null) state = new RegistryState();
        else (state, opened) = RegistryJournal.Open(directory);

        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.Listen(address ?? IPAddress.Loopback, port);
            kestrel.Limits.MaxRequestBodySize = 4 << 20;
        });
        builder.Services.AddRoutingCore();
        var starting = builder.Build();
        starting.UseRouting();
        new RegistryRoutes(state).Map(starting);
        try
        {
            await starting.StartAsync(cancellationToken);
        }
        catch
        {
            opened?.Dispose();
            await starting.DisposeAsync();
            throw;
        }

        var addresses = starting.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses;
        return new EmbeddedRegistry(starting, opened, addresses.Single());
    }

    public async ValueTask DisposeAsync()
    {
        await app.DisposeAsync();
        journal?.Dispose();
    }
}
