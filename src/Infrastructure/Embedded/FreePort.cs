using System.Net;
using System.Net.Sockets;

namespace StreamMl.Infrastructure.Embedded;

/// <summary>A port that nobody listens on now. Another process may take it before it is used: callers try again.</summary>
internal static class FreePort
{
    public static int Next()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
