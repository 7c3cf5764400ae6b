using System.Runtime.InteropServices;

namespace StreamMl.Training.Trainers;

/// <summary>
/// LightGBM's threads wait by spinning unless OMP_WAIT_POLICY says otherwise, which made a training seven times slower beside another busy process. The library reads it
/// from the process's own environment when it is loaded; .NET changes only its copy of that.
/// </summary>
internal static partial class OpenMp
{
    private static int done;

    /// <summary>Before the first training of the process; what the user has set is kept.</summary>
    public static void WaitPassively()
    {
        if (Interlocked.Exchange(ref done, 1) != 0 || Environment.GetEnvironmentVariable("OMP_WAIT_POLICY") is not null || OperatingSystem.IsWindows())
            return;
        _ = SetEnvironment("OMP_WAIT_POLICY", "PASSIVE", 0);
    }

    [LibraryImport("libc", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int SetEnvironment(string name, string value, int overwrite);
}
