namespace StreamMl.Infrastructure.Models;

/// <summary>One writer at a time per model, across processes: a file opened for one alone. Readers need no lock, since every file appears whole.</summary>
internal static class ModelLock
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20);

    /// <summary>Waits, within a bound, for the lock; disposing gives it back, and so does the end of the process.</summary>
    /// <exception cref="TimeoutException">Someone else held it for the whole time.</exception>
    public static async Task<IDisposable> TakeAsync(string path, ModelStoreOptions options, TimeProvider time, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        var start = time.GetTimestamp();
        while (true)
        {
            try
            {
                return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            }
            catch (IOException) when (File.Exists(path) && time.GetElapsedTime(start) < options.LockWait)
            {
                await Task.Delay(Pause, time, cancellationToken);
            }
            catch (IOException error) when (File.Exists(path))
            {
                throw new TimeoutException($"another process has held {path} for {options.LockWait.TotalSeconds:0.#} s; wait for it to end, or stop it, and try again", error);
            }
        }
    }
}
