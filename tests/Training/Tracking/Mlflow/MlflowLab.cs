using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using StreamMl.Training.Tracking.Mlflow;

namespace StreamMl.Training.Tests.Tracking.Mlflow;

/// <summary>The server on a free port, over a folder of its own, and a client that speaks JSON to it.</summary>
internal sealed class MlflowLab : IAsyncDisposable
{
    private readonly MlflowServer server;

    private MlflowLab(RunLab runs, MlflowServer server)
    {
        Runs = runs;
        this.server = server;
        Http = new HttpClient { BaseAddress = new Uri(server.Address) };
    }

    public RunLab Runs { get; }

    public HttpClient Http { get; }

    public string Address => server.Address;

    public static async Task<MlflowLab> StartAsync()
    {
        var runs = new RunLab();
        var started = new MlflowServer(Options.Create(new MlflowOptions { Url = "http://127.0.0.1:0", Directory = runs.Directory }), runs.Time, NullLogger<MlflowServer>.Instance);
        await started.StartAsync(TestContext.Current.CancellationToken);
        return new MlflowLab(runs, started);
    }

    public Task<JsonNode> GetAsync(string path) => AnswerAsync(Http.GetAsync("/api/2.0/mlflow/" + path));

    public Task<JsonNode> PostAsync(string path, object body) => AnswerAsync(Http.PostAsJsonAsync("/api/2.0/mlflow/" + path, body));

    public Task<JsonNode> DeleteAsync(string path, object body) =>
        AnswerAsync(Http.SendAsync(new HttpRequestMessage(HttpMethod.Delete, "/api/2.0/mlflow/" + path) { Content = JsonContent.Create(body) }));

    /// <summary>The status, the error's code and its message.</summary>
    public async Task<(int Status, string Code, string Message)> RefusalAsync(string path, object? body = null)
    {
        var answer = body is null ? await Http.GetAsync("/api/2.0/mlflow/" + path) : await Http.PostAsJsonAsync("/api/2.0/mlflow/" + path, body);
        var json = JsonNode.Parse(await answer.Content.ReadAsStringAsync())!;
        return ((int)answer.StatusCode, (string)json["error_code"]!, (string)json["message"]!);
    }

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        await server.StopAsync(CancellationToken.None);
        await server.DisposeAsync();
        Runs.Dispose();
    }

    private static async Task<JsonNode> AnswerAsync(Task<HttpResponseMessage> sent)
    {
        using var answer = await sent;
        var text = await answer.Content.ReadAsStringAsync();
        answer.IsSuccessStatusCode.ShouldBeTrue(text);
        return JsonNode.Parse(text)!;
    }
}
