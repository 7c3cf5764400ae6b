using System.Text;
using System.Text.Json;

namespace StreamMl.OnlineScorer.Tests.Catalogs;

/// <summary>Asks a query API over HTTP.</summary>
internal static class FeatureQuery
{
    /// <summary>The answer; a read that fails fails the test.</summary>
    public static async Task<JsonElement> ReadAsync(HttpClient http, string query)
    {
        using var content = new StringContent(query, Encoding.UTF8, "application/json");
        using var answer = await http.PostAsync("/v1/features", content, TestContext.Current.CancellationToken);
        var text = await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        ((int)answer.StatusCode).ShouldBe(200, text);
        using var json = JsonDocument.Parse(text);
        return json.RootElement.Clone();
    }
}
