using System.Runtime.InteropServices;

namespace StreamMl.Infrastructure.Archive;

/// <summary>
/// A file that is there whole or not at all: written under a temporary name, flushed to the disk, then renamed. After a crash only the
/// temporary file can be left, and <see cref="Discard"/> removes it.
/// </summary>
public static partial class DurableFile
{
    /// <summary>Suffix of files that are being written.</summary>
    public const string TempSuffix = ".tmp";

    /// <summary>Opens the temporary file of <paramref name="path"/>, replacing one left by a crash.</summary>
    public static FileStream Create(string path)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        return new FileStream(path + TempSuffix, new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write, BufferSize = 1 << 16 });
    }

    /// <summary>Flushes and closes a temporary file and gives it its name, in the same directory.</summary>
    public static void Commit(FileStream stream, string path)
    {
        var temporary = stream.Name;
        stream.Flush(flushToDisk: true);
        stream.Dispose();
        File.Move(temporary, path, overwrite: true);
        SyncDirectory(Path.GetDirectoryName(path)!);
    }

    public static void WriteAllBytes(string path, ReadOnlySpan<byte> bytes)
    {
        var stream = Create(path);
        stream.Write(bytes);
        Commit(stream, path);
    }

    /// <summary>Removes what a crash left half-written in a directory.</summary>
    public static void Discard(string directory)
    {
        if (!Directory.Exists(directory))
            return;
        foreach (var path in Directory.EnumerateFiles(directory, "*" + TempSuffix))
            File.Delete(path);
    }

    /// <summary>A rename lives in the directory: without this it may be lost with the power, though the file's bytes are safe.</summary>
    internal static void SyncDirectory(string directory)
    {
        if (OperatingSystem.IsWindows())
            return;
        var descriptor = Open(directory, 0);
        if (descriptor < 0)
            throw new IOException($"cannot open directory {directory} to flush it: error {Marshal.GetLastPInvokeError()}");
        _ = Fsync(descriptor);
        _ = Close(descriptor);
    }

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int Fsync(int descriptor);

    [LibraryImport("libc", EntryPoint = "close", SetLastError = true)]
    private static partial int Close(int descriptor);
}
