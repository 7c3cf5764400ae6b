using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using StreamMl.Training.Tracking.Search;

namespace StreamMl.Training.Tracking.Mlflow;

/// <summary>Searches and pages. What is no run (an experiment, a model) is searched as one that has its name, times and tags. Pure.</summary>
internal static class MlflowPages
{
    /// <summary>The items that a request's filter, order and page ask for, as <c>{"name": [...], "next_page_token": ...}</c>.</summary>
    public static JsonObject Search<T>(string name, MlflowRequest request, IEnumerable<T> items, Func<T, Run> asRun, Func<T, JsonNode> write, int pageSize, int largestPage)
        where T : notnull
    {
        var byRun = new Dictionary<Run, T>(ReferenceEqualityComparer.Instance);
        foreach (var item in items)
            byRun.Add(asRun(item), item);
        var found = RunQuery.Parse(request.Text("filter"), request.Texts("order_by")).Apply(byRun.Keys);
        return Page(name, request, found, r => write(byRun[r]), pageSize, largestPage);
    }

    public static JsonObject Page<T>(string name, MlflowRequest request, IReadOnlyList<T> items, Func<T, JsonNode> write, int pageSize, int largestPage)
    {
        var size = request.MaxResults(pageSize, largestPage);
        var from = Offset(request.Text("page_token"));
        var page = new JsonObject { [name] = new JsonArray([.. items.Skip(from).Take(size).Select(write)]) };
        if (from + size < items.Count)
            page["next_page_token"] = Token(from + size);
        return page;
    }

    private static string Token(int offset) => Convert.ToBase64String(Encoding.ASCII.GetBytes($"offset={offset}"));

    private static int Offset(string? token)
    {
        if (string.IsNullOrEmpty(token))
            return 0;
        Span<byte> bytes = stackalloc byte[64];
        if (token.Length <= 64 && Convert.TryFromBase64String(token, bytes, out var length)
            && Encoding.ASCII.GetString(bytes[..length]) is ['o', 'f', 'f', 's', 'e', 't', '=', .. var digits]
            && int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var offset))
        {
            return offset;
        }

        throw MlflowRequest.Wrong("page_token", $"is '{token}', which this server did not give");
    }
}
