namespace StreamMl.StreamFeatures.Tests.Lab;

internal static class Eventually
{
    /// <summary>Waits for the condition; after half a minute fails with the state.</summary>
    public static async Task TrueAsync(Func<bool> condition, Func<string> describe)
    {
        var started = TimeProvider.System.GetTimestamp();
        while (!condition())
        {
            if (TimeProvider.System.GetElapsedTime(started) > TimeSpan.FromSeconds(30))
                throw new TimeoutException($"not so within 30 s: {describe()}");
            await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System);
        }
    }
}
