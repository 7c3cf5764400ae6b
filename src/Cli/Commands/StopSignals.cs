using System.Runtime.InteropServices;

namespace StreamMl.Cli.Commands;

/// <summary>
/// The first Ctrl-C (or SIGTERM) asks the command to stop, and it takes the time that it needs: a worker drains, bounded by its own options. The second ends the process at once.
/// </summary>
internal sealed class StopSignals : IDisposable
{
    private readonly CancellationTokenSource asked = new();
    private readonly PosixSignalRegistration[] registrations;
    private readonly Action<int> end;

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
        asked.Dispose();
    }

    /// <summary>What a signal does; called on any thread.</summary>
    internal void Take(PosixSignalContext signal)
    {
        signal.Cancel = true;
        if (asked.IsCancellationRequested)
            end(signal.Signal == PosixSignal.SIGTERM ? 143 : 130);
        else
            asked.Cancel();
    }
}
