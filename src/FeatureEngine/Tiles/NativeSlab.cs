using System.Runtime.InteropServices;

namespace StreamMl.FeatureEngine.Tiles;

/// <summary>
/// Native memory in slabs. Large ones ask Linux for huge pages: states are touched at random, and with pages of 4 KiB every touch would also
/// miss the processor's page table cache. Where that is not to be had the memory is the same, only slower.
/// </summary>
internal static unsafe partial class NativeSlab
{
    private const long HugePageBytes = 1 << 21;
    private const int HugePageAdvice = 14; // MADV_HUGEPAGE

    /// <summary>Memory with undefined content.</summary>
    public static byte* Allocate(long bytes)
    {
        if (bytes < HugePageBytes || !OperatingSystem.IsLinux())
            return (byte*)NativeMemory.AlignedAlloc((nuint)bytes, 64);
        var slab = (byte*)NativeMemory.AlignedAlloc((nuint)bytes, (nuint)HugePageBytes);
        _ = Advise(slab, (nuint)bytes, HugePageAdvice); // only a wish: what it answers changes nothing
        return slab;
    }

    public static void Free(void* slab) => NativeMemory.AlignedFree(slab);

    [LibraryImport("libc", EntryPoint = "madvise")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Advise(void* start, nuint length, int advice);
}
