using System.Text.Json;

namespace StreamMl.Ingestors.Http;

/// <summary>Splits a request's body into records: one JSON object, an array of them, or one a line (NDJSON). Pure.</summary>
internal static class RequestRecords
{
    /// <summary>Where each record stands in the body; null, and the problem, where the body as a whole is none of these.</summary>
    /// <param name="body">UTF-8.</param>
    /// <param name="isLines">The content type says NDJSON.</param>
    /// <param name="problem">What is wrong.</param>
    public static List<Range>? Split(ReadOnlySpan<byte> body, bool isLines, out string? problem)
    {
        problem = null;
        var first = body.IndexOfAnyExcept(" \t\r\n"u8);
        if (first < 0)
        {
            problem = "the body is empty; send a JSON object, an array of them, or one a line with content type application/x-ndjson";
            return null;
        }

        if (isLines)
            return Lines(body);
        return body[first] == '[' ? Elements(body, out problem) : [new Range(first, body.Length)];
    }

    private static List<Range> Lines(ReadOnlySpan<byte> body)
    {
        var records = new List<Range>();
        for (var start = 0; start < body.Length;)
        {
            var length = body[start..].IndexOf((byte)'\n');
            var end = length < 0 ? body.Length : start + length;
            if (!body[start..end].Trim(" \t\r"u8).IsEmpty)
                records.Add(new Range(start, end));
            start = end + 1;
        }

        return records;
    }

    private static List<Range>? Elements(ReadOnlySpan<byte> body, out string? problem)
    {
        problem = null;
        var records = new List<Range>();
        try
        {
            var reader = new Utf8JsonReader(body);
            reader.Read();
            while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
            {
                var start = (int)reader.TokenStartIndex;
                reader.Skip();
                records.Add(new Range(start, (int)reader.BytesConsumed));
            }

            // Anything behind the array throws here.
            reader.Read();
            return records;
        }
        catch (JsonException e)
        {
            problem = $"the body is no JSON array: {e.Message}";
            return null;
        }
    }
}
