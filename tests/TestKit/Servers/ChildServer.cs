using System.Diagnostics;

namespace StreamMl.TestKit.Servers;

/// <summary>
/// A server as a child process that does not outlive this one, however this one ends: a shell starts it, waits for the end of its
/// standard input (which the system closes when we die) and stops it.
/// </summary>
internal sealed class ChildServer : IAsyncDisposable
{
    private static readonly TimeSpan StopPatience = TimeSpan.FromSeconds(20);
    private readonly Process process;

    private ChildServer(Process process, string firstLine)
    {
        this.process = process;
        FirstLine = firstLine;
    }

    /// <summary>What the script said first on standard output.</summary>
    public string FirstLine { get; }

    /// <param name="start">Shell commands that start the server and print one line when it is ready.</param>
    /// <param name="stop">Shell commands that stop it and clean up.</param>
    /// <param name="arguments">Their $1, $2 ...</param>
    public static async Task<ChildServer> StartAsync(string start, string stop, params string[] arguments)
    {
        string script = $"trap '' INT HUP\n{start}\ncat >/dev/null\n{stop}\n";
        var shell = Process.Start(new ProcessStartInfo("sh", ["-c", script, "sh", .. arguments])
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        var errors = shell.StandardError.ReadToEndAsync();
        string? line = await shell.StandardOutput.ReadLineAsync().WaitAsync(TimeSpan.FromSeconds(60), TimeProvider.System);
        if (line is not null) return new ChildServer(shell, line);
        await shell.WaitForExitAsync();
        throw new InvalidOperationException($"A test server did not start ({string.Join(' ', arguments)}): {await errors}");
    }

    public async ValueTask DisposeAsync()
    {
        process.StandardInput.Close();
        await process.WaitForExitAsync().WaitAsync(StopPatience, TimeProvider.System);
        process.Dispose();
    }
}
