using System.Security.Cryptography;
using StreamMl.FeatureEngine.Views;

namespace StreamMl.FeatureEngine.Tests;

/// <summary>
/// States outlive the program that wrote them: the bytes of a fixed log are pinned. If this fails, either a change broke the format, or the
/// format changed on purpose and needs a new version byte.
/// </summary>
public sealed class StoredBytesTests
{
    [Fact]
    public void Encode_FixedLog_GivesThePinnedBytes()
    {
        using var all = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var view in ViewStatesTests.Views)
        {
            using var states = new ViewStates(ViewProgram.Compile(view, EngineLab.Source));
            var random = new Random(7);
            long now = 1_000_000_000_000, watermark = long.MinValue;
            for (var batch = 0; batch < 40; batch++)
            {
                EngineLab.Apply(states, [.. Enumerable.Range(batch * 50, 50).Select(i => Next(random, i, ref now, ref watermark))]);
                foreach (var key in new[] { "a", "b", "c" })
                    all.AppendData(EngineLab.Encode(states, key));
            }
        }

        Convert.ToHexString(all.GetHashAndReset()).ShouldBe("83CA81D0669CC6055071168629DC746E2A1CF556BED2EA30AFB99CBE403B0D8F");
    }

    private static NaiveEvent Next(Random random, int offset, ref long now, ref long watermark)
    {
        var at = now + random.Next(20) switch { 0 => -random.Next(400_000_000), 1 => random.Next(1_000_000_000), < 4 => 0, _ => random.Next(4_000_000) };
        now = Math.Max(now, at);
        var key = random.Next(8) switch { < 4 => "a", < 7 => "b", _ => "c" };
        var row = EngineLab.Row(key, random.Next(6) == 0 ? null : Math.Round(random.NextDouble() * 100, 3), random.Next(-5, 5));
        row["b"] = random.Next(2) == 0;
        row["s"] = random.Next(4) == 0 ? null : new string('x', random.Next(4));
        row["u"] = at;
        var e = new NaiveEvent(offset, at, watermark, key, row);
        watermark = Math.Max(watermark, at);
        return e;
    }
}
