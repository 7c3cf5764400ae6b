using System.Buffers.Text;
using System.Diagnostics;
using System.Net.Sockets;

namespace StreamMl.Benchmarks.Score;

/// <summary>
/// Connections that are kept alive, each with one request on its way, over bare sockets: what the client takes is little, and the same whatever the server.
/// </summary>
internal static class RawHttpClient
{
    /// <summary>Sends the requests round after round; returns how many were answered, and how long each took.</summary>
    public static async Task<(int Count, List<double> Ms)> RunAsync(Uri address, byte[][] requests, int connections, TimeSpan duration)
    {
        var clock = Stopwatch.StartNew();
        var all = await Task.WhenAll(Enumerable.Range(0, connections).Select(i => Task.Run(() => TalkAsync(address, requests, i * requests.Length / connections, clock, duration))));
        return (all.Sum(ms => ms.Count), [.. all.SelectMany(ms => ms)]);
    }

    /// <summary>One request; the whole answer's body.</summary>
    public static async Task<byte[]> AskAsync(Uri address, byte[] request)
    {
        using var socket = await ConnectAsync(address);
        var buffer = new byte[64 << 10];
        await socket.SendAsync(request);
        var (head, length) = await ReceiveAsync(socket, buffer);
        return buffer[head..(head + length)];
    }

    private static async Task<List<double>> TalkAsync(Uri address, byte[][] requests, int next, Stopwatch clock, TimeSpan duration)
    {
        using var socket = await ConnectAsync(address);
        var buffer = new byte[64 << 10];
        var ms = new List<double>(1 << 16);
        while (clock.Elapsed < duration)
        {
            var started = Stopwatch.GetTimestamp();
            await socket.SendAsync(requests[next++ % requests.Length]);
            await ReceiveAsync(socket, buffer);
            ms.Add(Stopwatch.GetElapsedTime(started).TotalMilliseconds);
        }

        return ms;
    }

    private static async Task<Socket> ConnectAsync(Uri address)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(address.Host, address.Port);
        return socket;
    }

    /// <summary>Length of the head and of the body of the answer, which are in the buffer.</summary>
    private static async ValueTask<(int Head, int Length)> ReceiveAsync(Socket socket, byte[] buffer)
    {
        for (var filled = 0; ;)
        {
            var count = await socket.ReceiveAsync(buffer.AsMemory(filled));
            if (count == 0)
                throw new InvalidOperationException("the server closed the connection");
            filled += count;
            var head = buffer.AsSpan(0, filled).IndexOf("\r\n\r\n"u8) + 4;
            if (head < 4)
                continue;
            if (!buffer.AsSpan().StartsWith("HTTP/1.1 200"u8))
                throw new InvalidOperationException(System.Text.Encoding.UTF8.GetString(buffer, 0, filled));
            var at = buffer.AsSpan(0, head).IndexOf("Content-Length: "u8) + "Content-Length: ".Length;
            if (!Utf8Parser.TryParse(buffer.AsSpan(at, head - at), out int length, out _))
                throw new InvalidOperationException("the answer has no Content-Length");
            if (filled >= head + length)
                return (head, length);
        }
    }
}
