using System.Buffers.Text;
using StreamMl.Ingestors.Times;
using StreamMl.Shared.Events;

namespace StreamMl.Ingestors.Files;

/// <summary>What a file's cell is to become: a lane of <paramref name="Type"/>, times as <paramref name="Time"/> says.</summary>
internal sealed record CellFormat(FieldType Type, TimeFormat? Time = null)
{
    /// <summary>Reads a cell's text. Strings go to the arena.</summary>
    /// <param name="text">UTF-8, without quotes.</param>
    /// <param name="arena">Of the batch that the lane is for.</param>
    /// <param name="lane">See <see cref="FieldType"/>.</param>
    /// <param name="problem">What is wrong with the text, to stand behind "column 'x': 'text'".</param>
    public bool TryParse(ReadOnlySpan<byte> text, Utf8Arena arena, out long lane, out string? problem)
    {
        problem = null;
        switch (Type)
        {
            case FieldType.String:
                lane = arena.Append(text);
                return true;
            case FieldType.Int64:
                return TryInteger(text, out lane, out problem);
            case FieldType.Float64:
                return TryDouble(text, out lane, out problem);
            case FieldType.Boolean:
                return TryBoolean(text, out lane, out problem);
            default:
                return (Time ?? TimeFormat.Iso).TryParse(text, out lane, out problem);
        }
    }

    private static bool TryInteger(ReadOnlySpan<byte> text, out long lane, out string? problem)
    {
        problem = null;
        text = WithoutPlus(text);
        if (Utf8Parser.TryParse(text, out lane, out var used) && used == text.Length)
            return true;
        // Spreadsheets and data frames write whole numbers of a column with gaps as 15.0.
        if (Utf8Parser.TryParse(text, out double number, out used) && used == text.Length && number == Math.Floor(number) && Math.Abs(number) < 1L << 53)
        {
            lane = (long)number;
            return true;
        }

        problem = "is not a whole number of 64 bits";
        return false;
    }

    private static bool TryDouble(ReadOnlySpan<byte> text, out long lane, out string? problem)
    {
        problem = null;
        text = WithoutPlus(text);
        if (Utf8Parser.TryParse(text, out double number, out var used) && used == text.Length)
        {
            lane = BitConverter.DoubleToInt64Bits(number);
            return true;
        }

        lane = 0;
        problem = "is not a number";
        return false;
    }

    private static bool TryBoolean(ReadOnlySpan<byte> text, out long lane, out string? problem)
    {
        problem = null;
        lane = 0;
        Span<byte> lower = stackalloc byte[5];
        if (text.Length <= lower.Length && System.Text.Ascii.ToLower(text, lower, out var length) == System.Buffers.OperationStatus.Done)
        {
            lower = lower[..length];
            if (lower.SequenceEqual("true"u8) || lower.SequenceEqual("1"u8) || lower.SequenceEqual("t"u8) || lower.SequenceEqual("yes"u8))
            {
                lane = 1;
                return true;
            }

            if (lower.SequenceEqual("false"u8) || lower.SequenceEqual("0"u8) || lower.SequenceEqual("f"u8) || lower.SequenceEqual("no"u8))
                return true;
        }

        problem = "is not true or false";
        return false;
    }

    private static ReadOnlySpan<byte> WithoutPlus(ReadOnlySpan<byte> text) => text.Length > 1 && text[0] == '+' ? text[1..] : text;
}
