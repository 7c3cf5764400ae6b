using System.Buffers;
using System.Reflection;
using System.Text.Json;
using StreamMl.OnlineScorer.Catalogs;
using StreamMl.OnlineScorer.Reading;
using StreamMl.Shared.Log;
using StreamMl.Shared.Store;

namespace StreamMl.OnlineScorer.Api;

/// <summary>The HTTP face of the feature reader. Each request is answered by one catalogue, whatever changes meanwhile. Thread-safe.</summary>
internal sealed class FeatureApi(
    ApiCatalogs catalogs, ServedCatalog served, FeatureReader reader, IStateStore store, FeatureApiOptions options, TimeProvider time, ILogger<FeatureApi> logger, IStoreDirectory? directory = null)
{
    private const int MaxSampledEntities = 100;
    private static readonly byte[] Page = LoadPage();
    private readonly ApiGuard guard = new(logger);

    public void Map(IEndpointRouteBuilder routes)
    {
        routes.MapPost("/v1/features", guard.Handle(ReadFeaturesAsync));
        routes.MapGet("/v1/services", guard.Handle(c => ApiGuard.SendAsync(c.Response, into => CatalogResponse.WriteServices(into, catalogs.Current.Book))));
        routes.MapGet("/v1/services/{name}", guard.Handle(c => ApiGuard.SendAsync(c.Response, into => CatalogResponse.WriteService(into, catalogs.Current.Book, RouteName(c)))));
        routes.MapGet("/v1/views", guard.Handle(c => SendViewsAsync(c, catalogs.Current, name: null)));
        routes.MapGet("/v1/views/{name}", guard.Handle(c => SendViewsAsync(c, catalogs.Current, RouteName(c))));
        routes.MapGet("/v1/views/{name}/entities", guard.Handle(SendEntitiesAsync));
        routes.MapGet("/healthz", guard.Handle(c => ApiGuard.SendAsync(c.Response, into => into.Write("{\"status\":\"ok\"}"u8))));
        routes.MapGet("/readyz", guard.Handle(SendReadinessAsync));
        routes.MapGet("/", guard.Handle(c => ApiGuard.SendAsync(c.Response, into => into.Write(Page), "text/html; charset=utf-8")));
        routes.MapFallback(guard.Handle(c => throw new ApiProblem(404, "no-such-page", $"there is no {c.Request.Method} {c.Request.Path}", "the page at / shows what there is")));
    }

    private async Task ReadFeaturesAsync(HttpContext context)
    {
        using var body = await JsonDocument.ParseAsync(context.Request.Body, cancellationToken: context.RequestAborted);
        var book = catalogs.Current.Book;
        var batch = FeatureRequest.Parse(body.RootElement, book, options, time);
        await reader.ReadAsync(batch, context.RequestAborted);
        ServingMetrics.Reads.Add(batch.Count, new KeyValuePair<string, object?>("service", batch.Service.Program.Name));
        await ApiGuard.SendAsync(context.Response, into => FeatureResponse.Write(into, batch));
        book.Return(batch);
    }

    private async Task SendViewsAsync(HttpContext context, ApiCatalog catalog, string? name)
    {
        var views = name is null ? catalog.Programs : [catalog.View(name)];
        using var positions = await store.ReadAsync(CatalogResponse.PositionKeys(views), context.RequestAborted);
        await ApiGuard.SendAsync(context.Response, into => CatalogResponse.WriteViews(into, catalog.Catalog, views, positions));
    }

    private async Task SendEntitiesAsync(HttpContext context)
    {
        var catalog = catalogs.Current;
        var view = catalog.View(RouteName(context));
        var asked = context.Request.Query["limit"].ToString();
        var limit = asked.Length == 0 ? 20 : int.TryParse(asked, out var n) && n is > 0 and <= MaxSampledEntities
            ? n
            : throw new ApiProblem(400, "bad-limit", $"'limit' is {asked}", $"send 1 to {MaxSampledEntities}", asked, MaxSampledEntities.ToString());
        var keys = new List<byte[]>();
        for (var partition = 0; partition < view.Source.Partitions && keys.Count < limit && directory is not null; partition++)
            keys.AddRange(await directory.EntitiesOfAsync(new PartitionId(view.Log, partition), view.View.Name, view.Hash8, limit - keys.Count, context.RequestAborted));
        await ApiGuard.SendAsync(context.Response, into => CatalogResponse.WriteEntities(into, catalog.Catalog, view, keys));
    }

    /// <summary>Ready: the store answers. Views that have not run everywhere are named, but others can be read.</summary>
    private async Task SendReadinessAsync(HttpContext context)
    {
        var programs = catalogs.Current.Programs;
        using var positions = await store.ReadAsync(CatalogResponse.PositionKeys(programs), context.RequestAborted);
        var at = 0;
        var waiting = new List<string>();
        foreach (var program in programs)
        {
            var missing = Enumerable.Range(at, program.Source.Partitions).Count(i => !positions.Has(i));
            at += program.Source.Partitions;
            if (missing > 0)
                waiting.Add(program.View.Name);
        }

        await ApiGuard.SendAsync(context.Response, into =>
        {
            using var json = new Utf8JsonWriter(into);
            json.WriteStartObject();
            json.WriteString("status", "ready");
            json.WriteStartArray("viewsThatNeverRan");
            waiting.ForEach(json.WriteStringValue);
            json.WriteEndArray();
            if (served.Waiting is { } why)
                json.WriteString("changedCatalogWaits", why);
            json.WriteEndObject();
        });
    }

    private static string RouteName(HttpContext context) => (string)context.Request.RouteValues["name"]!;

    private static byte[] LoadPage()
    {
        using var stream = Assembly.GetExecutingAssembly().GetManifestResourceStream("StreamMl.OnlineScorer.Page.html")
            ?? throw new InvalidOperationException("the page is not in the assembly");
        using var copy = new MemoryStream();
        stream.CopyTo(copy);
        return copy.ToArray();
    }
}
