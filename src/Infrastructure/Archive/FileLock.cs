namespace StreamMl.Infrastructure.Archive;

/// <summary>One writer at a time, across threads and processes: a file opened for one alone. Readers need none where every file appears whole.</summary>
public static class FileLock
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20);

    /// <summary>Waits, within a bound, for the lock; disposing gives it back, and so does the end of the process.</summary>
    /// <param name="path">The lock's file; made where it is not there, and left behind.</param>
    /// <param name="wait">The bound.</param>
    /// <exception cref="TimeoutException">Someone else held it for the whole time.</exception>
    public static async Task<IDisposable> TakeAsync(string path, TimeSpan wait, TimeProvider time, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        var start = time.GetTimestamp();
        while (true)
        {
            try
            {
                return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            }
            catch (IOException) when (File.Exists(path) && time.GetElapsedTime(start) < wait)
            {
                await Task.Delay(Pause, time, cancellationToken);
            }
            catch (IOException error) when (File.Exists(path))
            {
                throw new TimeoutException($"another writer has held {path} for {wait.TotalSeconds:0.#} s; wait for it to end, or stop it, and try again", error);
            }
        }
    }
}
