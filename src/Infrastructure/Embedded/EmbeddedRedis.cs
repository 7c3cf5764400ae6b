using System.ComponentModel.DataAnnotations;
using System.Net.Sockets;
using Garnet;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace StreamMl.Infrastructure.Embedded;

/// <summary>How the embedded Redis runs.</summary>
public sealed class EmbeddedRedisOptions
{
    /// <summary>The port on 127.0.0.1; 0 (default) takes a free one.</summary>
    [Range(0, 65535)]
    public int Port { get; init; }

    /// <summary>Where the append-only file lies: with it the data outlive the process. Null (default): memory only.</summary>
    public string? Directory { get; init; }

    /// <summary>Memory of the main store as Garnet writes sizes. Default <c>4g</c>, taken as it is used.</summary>
    public string Memory { get; init; } = "4g";
}

/// <summary>
/// A Redis in this process: Garnet with Lua in transaction mode, without which its scripts are not atomic. It listens on
/// 127.0.0.1 for any Redis client. Thread-safe.
/// </summary>
public sealed class EmbeddedRedis : IAsyncDisposable
{
    private const int Attempts = 5;
    private GarnetServer? server;

    private EmbeddedRedis(GarnetServer server, int port)
    {
        this.server = server;
        Port = port;
    }

    public int Port { get; }

    /// <summary>Host and port, as StackExchange.Redis takes it.</summary>
    public string Endpoint => $"127.0.0.1:{Port}";

    /// <exception cref="InvalidOperationException">The port is taken, or Garnet can not write its directory.</exception>
    public static EmbeddedRedis Start(EmbeddedRedisOptions? options = null, ILoggerFactory? loggers = null)
    {
        options ??= new();
        for (int attempt = 1; ; attempt++)
        {
            int port = options.Port == 0 ? FreePort.Next() : options.Port;
            try
            {
                return new EmbeddedRedis(StartOn(port, options, loggers ?? NullLoggerFactory.Instance), port);
            }
            catch (SocketException) when (options.Port == 0 && attempt < Attempts)
            {
                // Somebody was faster to take the port.
            }
            catch (Exception e) when (e is SocketException or IOException or UnauthorizedAccessException)
            {
                throw new InvalidOperationException(
                    $"The embedded Redis could not start on 127.0.0.1:{port} with directory '{options.Directory ?? "(none)"}': {e.Message}. "
                    + "Choose another port or directory, or name a Redis by --redis.", e);
            }
        }
    }

    /// <summary>Stops listening; what is in memory only is gone.</summary>
    public ValueTask DisposeAsync()
    {
        Interlocked.Exchange(ref server, null)?.Dispose(deleteDir: false);
        return ValueTask.CompletedTask;
    }

    private static GarnetServer StartOn(int port, EmbeddedRedisOptions options, ILoggerFactory loggers)
    {
        var starting = new GarnetServer([.. Arguments(port, options)], loggers);
        try
        {
            starting.Start();
            return starting;
        }
        catch
        {
            starting.Dispose(deleteDir: false);
            throw;
        }
    }

    private static IEnumerable<string> Arguments(int port, EmbeddedRedisOptions options)
    {
        string[] always =
        [
            "--bind", "127.0.0.1", "--port", port.ToString(), "-q", "--memory", options.Memory,
            "--lua", "--lua-transaction-mode", "true",
        ];
        if (options.Directory is null) return always;

        // The defaults for the log's device and pages lose or refuse large commits: these were seen to recover.
        return
        [
            .. always, "--aof", "--recover", "--checkpointdir", options.Directory, "--device-type", "RandomAccess",
            "--aof-page-size", "32m", "--aof-memory", "256m", "--aof-commit-freq", "100",
        ];
    }
}
