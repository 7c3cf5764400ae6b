using System.Text.Json.Nodes;
using StreamMl.Infrastructure.Archive;
using StreamMl.Infrastructure.Models;
using StreamMl.Shared.Models;

namespace StreamMl.Training.Tracking.Mlflow;

/// <summary>
/// Artifacts: <c>/mlflow/artifacts/list</c> of a run, and the proxied interface, in which <c>mlflow-artifacts:/EXPERIMENT-ID/RUN-ID/artifacts/...</c> are runs' files
/// and <c>mlflow-artifacts:/models/NAME/VERSION/...</c> are registered models', which cannot be changed.
/// </summary>
internal sealed class MlflowArtifacts(RunStore runs, ModelStore models, MlflowRuns runRoutes, MlflowOptions options)
{
    public const string Scheme = "mlflow-artifacts:";
    private const string Models = "models";

    public void Map(MlflowRoutes routes)
    {
        routes.Get("/artifacts/list", ListOfRun);
        routes.Proxy("", HttpMethods.Get, ListAsync);
        routes.Proxy("/{**path}", HttpMethods.Get, DownloadAsync);
        routes.Proxy("/{**path}", HttpMethods.Put, UploadAsync);
        routes.Proxy("/{**path}", HttpMethods.Delete, DeleteAsync);
    }

    /// <summary>The folder or file behind a URI or a proxied path.</summary>
    public string Resolve(string uri) => PathOf(uri.StartsWith(Scheme, StringComparison.Ordinal) ? uri[Scheme.Length..].TrimStart('/') : uri, write: false);

    private JsonObject ListOfRun(MlflowRequest request)
    {
        var run = runRoutes.Open(request);
        var list = Files(run.ArtifactDirectory, request.Text("path") ?? "");
        list["root_uri"] = (string?)MlflowJson.Info(run.Read().Record, ExperimentIdOf(run))["artifact_uri"];
        return list;
    }

    private async Task ListAsync(HttpContext context)
    {
        // Paths of this list are relative to the path that was asked for.
        var path = context.Request.Query["path"].ToString();
        var folder = PathOf(path, write: false);
        await MlflowRoutes.WriteAsync(context, 200, Files(folder, ""));
    }

    private async Task DownloadAsync(HttpContext context)
    {
        var path = PathOf(Asked(context), write: false);
        if (!File.Exists(path))
            throw new MlflowException(MlflowException.Missing, $"No such artifact: '{Asked(context)}'");
        context.Response.ContentType = "application/octet-stream";
        context.Response.Headers.ContentDisposition = $"attachment; filename*=UTF-8''{Uri.EscapeDataString(Path.GetFileName(path))}";
        context.Response.Headers.XContentTypeOptions = "nosniff";
        await context.Response.SendFileAsync(path, context.RequestAborted);
    }

    private async Task UploadAsync(HttpContext context)
    {
        context.Features.Get<Microsoft.AspNetCore.Http.Features.IHttpMaxRequestBodySizeFeature>()!.MaxRequestBodySize = options.MaxArtifactBytes;
        var path = PathOf(Asked(context), write: true);
        var file = DurableFile.Create(path);
        try
        {
            await context.Request.Body.CopyToAsync(file, context.RequestAborted);
            DurableFile.Commit(file, path);
        }
        catch
        {
            await file.DisposeAsync();
            File.Delete(path + DurableFile.TempSuffix);
            throw;
        }

        await MlflowRoutes.WriteAsync(context, 200, new JsonObject());
    }

    private async Task DeleteAsync(HttpContext context)
    {
        var path = PathOf(Asked(context), write: true);
        if (Directory.Exists(path))
            Directory.Delete(path, recursive: true);
        else
            File.Delete(path);
        await MlflowRoutes.WriteAsync(context, 200, new JsonObject());
    }

    private string PathOf(string path, bool write)
    {
        var parts = path.Split('/', StringSplitOptions.RemoveEmptyEntries);
        if (parts.Length >= 3 && parts[0] == Models)
            return write ? throw new MlflowException(MlflowException.Denied, "a registered model cannot be changed: its version is its content; register another") : Inside(ModelFolderOf(parts), parts[3..]);
        if (parts.Length < 3 || parts[2] != RunLayout.Artifacts)
            throw new MlflowException(MlflowException.Missing, $"No such artifact path: '{path}'; it is EXPERIMENT-ID/RUN-ID/artifacts/... or models/NAME/VERSION/...");
        var run = runs.Open(parts[1]);
        return run.Id == parts[1] && ExperimentIdOf(run) == parts[0] ? Inside(run.ArtifactDirectory, parts[3..]) : throw new MlflowException(MlflowException.Missing, $"Run '{parts[1]}' is not in experiment '{parts[0]}'");
    }

    private string ModelFolderOf(string[] parts) => Path.GetDirectoryName(models.Open(new ModelVersion(ModelNames.RequireName(parts[1]), ModelNames.IsVersion(parts[2]) ? parts[2] : throw new MlflowException(MlflowException.Missing, $"No model version '{parts[2]}'"))).PathOf(ModelFiles.Model))!;

    private string ExperimentIdOf(RunWriter run)
    {
        var name = run.Read().Record.Experiment;
        return runs.Experiments(deleted: true).FirstOrDefault(e => e.Name == name)?.Id ?? RunLayout.ExperimentId(name);
    }

    private static string Inside(string root, string[] parts)
    {
        // The temporary names of files that are being written are not for others.
        if (parts.Any(p => p is "." or ".." || p.Contains('\\', StringComparison.Ordinal) || p.Contains('\0', StringComparison.Ordinal)) || parts.LastOrDefault()?.EndsWith(DurableFile.TempSuffix, StringComparison.Ordinal) == true)
            throw new MlflowException(MlflowException.Invalid, $"Invalid path: '{string.Join('/', parts)}'");
        return Path.Combine([root, .. parts]);
    }

    private static JsonObject Files(string root, string path)
    {
        var folder = Inside(root, path.Split('/', StringSplitOptions.RemoveEmptyEntries));
        var files = new JsonArray();
        if (Directory.Exists(folder))
        {
            foreach (var entry in new DirectoryInfo(folder).EnumerateFileSystemInfos().Where(f => f.Extension != DurableFile.TempSuffix).OrderBy(f => f.Name, StringComparer.Ordinal))
            {
                var item = new JsonObject { ["path"] = Path.GetRelativePath(root, entry.FullName).Replace('\\', '/'), ["is_dir"] = entry is DirectoryInfo };
                if (entry is FileInfo file)
                    item["file_size"] = file.Length;
                files.Add(item);
            }
        }

        return new JsonObject { ["files"] = files };
    }

    private static string Asked(HttpContext context) => ((string?)context.Request.RouteValues["path"] ?? "").Replace("%2F", "/", StringComparison.OrdinalIgnoreCase);
}
