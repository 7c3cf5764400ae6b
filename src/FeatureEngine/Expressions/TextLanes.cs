using System.Text;
using StreamMl.Shared.Events;
using StreamMl.Shared.Time;

namespace StreamMl.FeatureEngine.Expressions;

/// <summary>Functions of strings (UTF-8 in the batch's arena) and of timestamps (UTC).</summary>
internal static class TextLanes
{
    public readonly struct Lower : IUnaryLane
    {
        public static bool TryApply(Utf8Arena arena, long a, out long result) => MapRunes(arena, a, upper: false, out result);
    }

    public readonly struct Upper : IUnaryLane
    {
        public static bool TryApply(Utf8Arena arena, long a, out long result) => MapRunes(arena, a, upper: true, out result);
    }

    /// <summary>Unicode code points: every byte that does not continue one starts one.</summary>
    public readonly struct Length : IUnaryLane
    {
        public static bool TryApply(Utf8Arena arena, long a, out long result)
        {
            result = 0;
            foreach (var b in arena.Slice(a))
                result += (b & 0xC0) != 0x80 ? 1 : 0;
            return true;
        }
    }

    public readonly struct StartsWith : IBinaryLane
    {
        public static bool TryApply(Utf8Arena arena, long a, long b, out long result) => (result = arena.Slice(a).StartsWith(arena.Slice(b)) ? 1 : 0) >= 0;
    }

    public readonly struct EndsWith : IBinaryLane
    {
        public static bool TryApply(Utf8Arena arena, long a, long b, out long result) => (result = arena.Slice(a).EndsWith(arena.Slice(b)) ? 1 : 0) >= 0;
    }

    public readonly struct Contains : IBinaryLane
    {
        public static bool TryApply(Utf8Arena arena, long a, long b, out long result) => (result = arena.Slice(a).IndexOf(arena.Slice(b)) >= 0 ? 1 : 0) >= 0;
    }

    public readonly struct Concat : IBinaryLane
    {
        public static bool TryApply(Utf8Arena arena, long a, long b, out long result)
        {
            var start = arena.Length;
            arena.Append(arena.Slice(a));
            arena.Append(arena.Slice(b));
            result = Utf8Arena.Pack(start, arena.Length - start);
            return true;
        }
    }

    public readonly struct HourOf : IUnaryLane
    {
        public static bool TryApply(Utf8Arena arena, long a, out long result)
        {
            result = TimeGrid.TileOf(a, TimeGrid.MicrosPerHour) - (TimeGrid.TileOf(a, TimeGrid.MicrosPerDay) * 24);
            return true;
        }
    }

    public readonly struct MinuteOf : IUnaryLane
    {
        public static bool TryApply(Utf8Arena arena, long a, out long result)
        {
            result = TimeGrid.TileOf(a, TimeGrid.MicrosPerMinute) - (TimeGrid.TileOf(a, TimeGrid.MicrosPerHour) * 60);
            return true;
        }
    }

    /// <summary>1 is Monday, 7 Sunday (ISO 8601). 1970-01-01 was a Thursday.</summary>
    public readonly struct DayOfWeek : IUnaryLane
    {
        public static bool TryApply(Utf8Arena arena, long a, out long result)
        {
            var day = (TimeGrid.TileOf(a, TimeGrid.MicrosPerDay) + 3) % 7;
            result = (day < 0 ? day + 7 : day) + 1;
            return true;
        }
    }

    // Unicode's simple mapping of each code point, whatever the culture. Bytes that are no UTF-8 become U+FFFD.
    private static bool MapRunes(Utf8Arena arena, long lane, bool upper, out long result)
    {
        var start = arena.Length;
        var rest = arena.Slice(lane);
        Span<byte> mapped = stackalloc byte[4];
        while (!rest.IsEmpty)
        {
            Rune.DecodeFromUtf8(rest, out var rune, out var consumed);
            rest = rest[consumed..];
            var to = upper ? Rune.ToUpperInvariant(rune) : Rune.ToLowerInvariant(rune);
            arena.Append(mapped[..to.EncodeToUtf8(mapped)]);
        }

        result = Utf8Arena.Pack(start, arena.Length - start);
        return true;
    }
}
