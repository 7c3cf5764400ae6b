using System.IO.Hashing;
using System.Text;

namespace StreamMl.Training.Data;

/// <summary>
/// UTF-8 texts as .NET texts, each distinct one made once, up to a bound: what does not fit is made anew. Keys are 128-bit hashes: two of a billion texts coincide once in
/// 10^20. Not thread-safe.
/// </summary>
internal sealed class TextPool
{
    private const int MaxTexts = 100_000;
    private readonly Dictionary<UInt128, string> texts = [];

    public ReadOnlyMemory<char> Get(ReadOnlySpan<byte> utf8)
    {
        var key = XxHash128.HashToUInt128(utf8);
        if (texts.TryGetValue(key, out var text))
            return text.AsMemory();
        text = Encoding.UTF8.GetString(utf8);
        if (texts.Count < MaxTexts)
            texts.Add(key, text);
        return text.AsMemory();
    }
}
