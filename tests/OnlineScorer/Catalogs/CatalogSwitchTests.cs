using System.Text;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using StreamMl.FeatureEngine.Views;
using StreamMl.OnlineScorer.Api;
using StreamMl.OnlineScorer.Catalogs;
using StreamMl.Shared.Definitions;
using StreamMl.Shared.Log;
using StreamMl.Shared.Store;
using StreamMl.Shared.Time;
using StreamMl.TestKit.Store;

namespace StreamMl.OnlineScorer.Tests.Catalogs;

/// <summary>One process, read through its query API all the while, changes to another catalogue.</summary>
public sealed class CatalogSwitchTests : IAsyncDisposable
{
    private const string Old = "delay >= 0";
    private const string New = "delay >= 20";
    private const string Query = """{"service":"both","entities":[{"origin":"A1","dest":"B2"}],"asOf":"2020-09-13T13:00:00Z"}""";

    private readonly CatalogFiles files = new(Old);
    private readonly InMemoryStateStore store = new();
    private readonly List<Trip> trips = [.. Enumerable.Range(0, 900).Select(i => new Trip($"A{i * 7 % 5}", $"B{i * 3 % 4}", i, i * 11 % 60, ServingLab.StartUs + (i * 1_000_000L)))];
    private readonly HttpClient http = new();
    private IHost? host;

    private CatalogWatcher Watcher => host!.Services.GetRequiredService<CatalogWatcher>();

    public async ValueTask DisposeAsync()
    {
        http.Dispose();
        if (host is not null)
            await host.StopAsync(TestContext.Current.CancellationToken);
        host?.Dispose();
        files.Dispose();
    }

    // With one `serve` the only way was a restart: 98 reads were refused in 2.9 s.
    [Fact]
    public async Task Switch_UnderReadsOfOneProcess_NoReadFailsAndTheFirstNewValueIsThatOfACleanRecompute()
    {
        var (before, applied) = (files.Load(), 300);
        var old = new ServingLab(store, before);
        trips.Take(applied).ToList().ForEach(old.Apply);
        await CommitAsync(old);
        await StartAsync(before);
        using var done = new CancellationTokenSource();
        var first = await ReadAsync();
        files.Put(New);
        var after = files.Load();
        var readers = Enumerable.Range(0, 3).Select(_ => ReadOnAsync(first, ServiceHash(after), done.Token)).ToList();
        await LookTwiceAsync();
        (await http.GetStringAsync("/readyz", TestContext.Current.CancellationToken)).ShouldContain("has no position on trips");
        var next = new ServingLab(store, after);
        trips.Take(100).ToList().ForEach(next.Apply);
        await next.CommitAsync();
        await LookTwiceAsync();
        (await http.GetStringAsync("/readyz", TestContext.Current.CancellationToken)).ShouldContain("is being built");
        trips.Skip(100).Take(200).ToList().ForEach(next.Apply);
        await next.CommitAsync();
        foreach (var trip in trips.Skip(applied))
        {
            old.Apply(trip);
            next.Apply(trip);
            await CommitAsync(old);
            await next.CommitAsync();
            if (++applied == 500)
                await LookTwiceAsync();
        }

        await done.CancelAsync();
        var answers = await Task.WhenAll(readers);
        await Task.WhenAll(answers.Select(a => CheckAsync(a, before, after)));
        (await http.GetStringAsync("/readyz", TestContext.Current.CancellationToken)).ShouldNotContain("changedCatalogWaits");
    }

    [Fact]
    public async Task Switch_FileThatIsNotValid_TheOldCatalogueServesOnAndAValidOneIsTaken()
    {
        var before = files.Load();
        await FillAsync(before);
        await StartAsync(before);
        files.Put("nothing_like_it > 1");
        await LookTwiceAsync();
        (await http.GetStringAsync("/readyz", TestContext.Current.CancellationToken)).ShouldContain("it is not valid");
        Hash(await ReadAsync()).ShouldBe(ServiceHash(before));
        files.Put(New);
        var after = files.Load();
        await FillAsync(after);
        await LookTwiceAsync();
        Hash(await ReadAsync()).ShouldBe(ServiceHash(after));
        File.Delete(files.Path);
        await LookTwiceAsync();
        Hash(await ReadAsync()).ShouldBe(ServiceHash(after));
    }

    [Fact]
    public async Task Switch_TheFileAsItWasBefore_IsUndone()
    {
        var before = files.Load();
        await FillAsync(before);
        await StartAsync(before);
        files.Put(New);
        await FillAsync(files.Load());
        await LookTwiceAsync();
        Hash(await ReadAsync()).ShouldBe(ServiceHash(files.Load()));
        files.Put(Old);
        await LookTwiceAsync();
        Hash(await ReadAsync()).ShouldBe(ServiceHash(before));
    }

    [Fact]
    public async Task Reader_NotesTheVersionsThatItReads_BeforeItReadsThem()
    {
        var before = files.Load();
        await FillAsync(before);
        await StartAsync(before);
        await TestKit.Eventually.Until(() => ViewProgram.CompileAll(before).All(p => IsNoted(p)), () => "not noted");
        files.Put(New);
        await FillAsync(files.Load());
        ViewProgram.CompileAll(files.Load()).ShouldAllBe(p => !IsNoted(p));
        await LookTwiceAsync();
        ViewProgram.CompileAll(files.Load()).ShouldAllBe(p => IsNoted(p));
    }

    private static string ServiceHash(Catalog catalog) => CanonicalForm.ServiceHash(catalog.Service("both"), catalog);

    private static string Hash(JsonElement answer) => answer.GetProperty("hash").GetString()!;

    private bool IsNoted(ViewProgram program) => store.Snapshot().ContainsKey(LogNames.ReaderKey(program.Log, program.View.Name, program.Hash8));

    private async Task LookTwiceAsync()
    {
        await Watcher.LookAsync(TestContext.Current.CancellationToken);
        await Watcher.LookAsync(TestContext.Current.CancellationToken);
    }

    private Task FillAsync(Catalog catalog)
    {
        var lab = new ServingLab(store, catalog);
        trips.Take(50).ToList().ForEach(lab.Apply);
        return CommitAsync(lab);
    }

    /// <summary>Commits, and then the logs' own positions, as the worker does that owns them.</summary>
    private async Task CommitAsync(ServingLab lab)
    {
        await lab.CommitAsync();
        foreach (var (view, log) in lab.Catalog.Views.Select(v => (v.Name, lab.Program(v.Name).Log)))
        {
            for (var p = 0; p < 3; p++)
            {
                var commit = new StoreCommit(new PartitionId(log, p));
                commit.Set(Encoding.UTF8.GetBytes(LogNames.SourcePositionKey(commit.Log)), (PositionRecord.Start with { NextOffset = lab.ReadInMemory(view, p, "", ServingLab.StartUs).NextOffset }).Encode());
                await store.CommitAsync(commit, TestContext.Current.CancellationToken);
            }
        }
    }

    private async Task StartAsync(Catalog catalog)
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Logging.SetMinimumLevel(LogLevel.None);
        builder.Services.AddSingleton(catalog).AddSingleton<IStateStore>(store);
        builder.Services.AddSingleton<TimeProvider>(new FakeTimeProvider(new DateTimeOffset(TimeGrid.ToDateTime(ServingLab.StartUs), TimeSpan.Zero)));
        builder.Services.AddFeatureApi(o => o.Url = "http://127.0.0.1:0");
        builder.Services.AddCatalogWatch(o => o.Path = files.Path);
        host = builder.Build();
        await host.StartAsync(TestContext.Current.CancellationToken);
        http.BaseAddress = new Uri(host.Services.GetRequiredService<FeatureApiServer>().Address);
    }

    private Task<JsonElement> ReadAsync() => FeatureQuery.ReadAsync(http, Query);

    /// <summary>Reads without a pause, at least until the wanted definition has answered.</summary>
    private async Task<List<JsonElement>> ReadOnAsync(JsonElement first, string wanted, CancellationToken until)
    {
        var answers = new List<JsonElement> { first };
        while (!until.IsCancellationRequested || Hash(answers[^1]) != wanted)
            answers.Add(await ReadAsync());
        return answers;
    }

    /// <summary>First the old definitions, then the new, never both; and whatever was answered by the new, from the first on, is what its prefix gives.</summary>
    private async Task CheckAsync(List<JsonElement> answers, Catalog before, Catalog after)
    {
        var switched = answers.FindIndex(a => Hash(a) == ServiceHash(after));
        switched.ShouldBeGreaterThan(0);
        for (var i = 0; i < answers.Count; i++)
        {
            var catalog = i < switched ? before : after;
            Hash(answers[i]).ShouldBe(ServiceHash(catalog));
            Definitions(answers[i]).ShouldBe(ViewProgram.CompileAll(catalog).Select(p => p.Hash8));
        }

        await Recompute.ShouldEqualAsync(answers[switched], after, trips, Query);
        await Recompute.ShouldEqualAsync(answers[^1], after, trips, Query);
    }

    private static IEnumerable<string> Definitions(JsonElement answer) => answer.GetProperty("rows")[0].GetProperty("views").EnumerateArray().Select(v => v.GetProperty("definition").GetString()!);
}
