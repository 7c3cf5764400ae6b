using System.Runtime.InteropServices;

namespace StreamMl.Cli.Commands;

/// <summary>
/// The first Ctrl-C (or SIGTERM) asks the command to stop, and it takes the time that it needs: a worker drains, bounded by its own options. The second ends the process at once.
/// </summary>
internal sealed class StopSignals : IDisposable
{
    // Not disposed of: it has no timer, and a signal may be on its way.
    private readonly CancellationTokenSource asked = new();
    private readonly PosixSignalRegistration[] registrations;
    private readonly Action<int> end;
    private int taken;

    /// <param name="end">Ends the process with an exit code; another in tests.</param>
    public StopSignals(Action<int> end)
    {
        this.end = end;
        registrations = [.. new[] { PosixSignal.SIGINT, PosixSignal.SIGTERM }.Select(s => PosixSignalRegistration.Create(s, Take))];
    }

    /// <summary>Cancelled by the first signal.</summary>
    public CancellationToken Asked => asked.Token;

    public void Dispose()
    {
        foreach (var registration in registrations)
            registration.Dispose();
    }

    /// <summary>What a signal does; called on any thread.</summary>
    internal void Take(PosixSignalContext signal)
    {
        signal.Cancel = true;
        // Not on this thread: what throws there ends the process.
        if (Interlocked.Exchange(ref taken, 1) == 0)
            _ = asked.CancelAsync();
        else
            end(signal.Signal == PosixSignal.SIGTERM ? 143 : 130);
    }
}
