using System.CommandLine;
using StackExchange.Redis;
using StreamMl.Cli.Commands;
using StreamMl.FeatureEngine.Views;
using StreamMl.Infrastructure.Catalogs;
using StreamMl.Infrastructure.Embedded;
using StreamMl.Infrastructure.Redis;
using StreamMl.Shared.Definitions;
using StreamMl.Shared.Log;
using StreamMl.Shared.Store;

namespace StreamMl.Cli.Tests.Commands;

/// <summary>What <c>reset</c> deletes, leaves, and refuses to do.</summary>
[Collection(nameof(CommandTests))]
public sealed class ResetCommandTests : IAsyncDisposable
{
    private static readonly string Flights = Path.Combine(AppContext.BaseDirectory, "samples", "flights", "catalog.yaml");

    private readonly EmbeddedRedis server = EmbeddedRedis.Start(new EmbeddedRedisOptions { Memory = "64m" });
    private readonly string directory = Directory.CreateTempSubdirectory("streamml-reset-").FullName;
    private readonly Catalog catalog = CatalogFile.Load(Flights).Require();

    private ViewProgram Program(int view) => ViewProgram.Compile(catalog.Views[view], catalog.Source(catalog.Views[view].Source));

    [Fact]
    public async Task Reset_OneViewWithoutYes_DeletesNothingAndWithYesThatViewAlone()
    {
        var (redis, one, two) = (await FillAsync(), Program(0), Program(1));
        var all = await KeysAsync(redis);
        (await RunAsync("reset", one.View.Name)).ShouldBe(0);
        (await KeysAsync(redis)).ShouldBe(all);
        (await RunAsync("reset", one.View.Name, "--yes", "--force")).ShouldBe(0);
        var left = await KeysAsync(redis);
        left.Where(IsAnew).ShouldBe(
            Enumerable.Range(0, one.Source.Partitions).Select(p => LogNames.AnewKey(LogNames.PositionKey(new PartitionId(one.Log, p), one.View.Name, one.Hash8))),
            ignoreOrder: true, "whoever claims next knows that it begins anew");
        left.RemoveAll(IsAnew);
        left.ShouldBe(all.Where(k => !k.Contains($"}}{one.View.Name}@{one.Hash8}", StringComparison.Ordinal)));
        left.ShouldContain(k => k.Contains($"}}{two.View.Name}@{two.Hash8}", StringComparison.Ordinal));
        left.ShouldContain(k => k.Contains($"}}{one.View.Name}@00000000", StringComparison.Ordinal), "another version is another thing");
    }

    [Fact]
    public async Task Reset_Old_DeletesWhatNoCatalogueNamesAndNothingElse()
    {
        var redis = await FillAsync();
        var all = await KeysAsync(redis);
        (await RunAsync("reset", "--old", "--yes")).ShouldBe(0);
        (await KeysAsync(redis)).ShouldBe(all.Where(k => !k.Contains("@00000000", StringComparison.Ordinal) || k.StartsWith("{another", StringComparison.Ordinal)));
    }

    // It deleted what a rollout had built, and what workers of another catalogue kept.
    [Theory]
    [InlineData(StoreKeyKind.Beside, "runs or was cut short")]
    [InlineData(StoreKeyKind.Reader, "is read")]
    [InlineData(StoreKeyKind.LogPosition, "is what the worker has")]
    public async Task Reset_OldOfWhatSomebodyBuildsOrReads_IsRefusedAndDeletesNothing(StoreKeyKind kind, string why)
    {
        var (redis, program) = (await FillAsync(), Program(0));
        var first = new PartitionId(program.Log, 0);
        var (key, value) = kind switch
        {
            StoreKeyKind.Beside => (LogNames.BesideKey(program.Log, program.View.Name, "00000000"), new BesideRecord(0).Encode()),
            StoreKeyKind.Reader => (LogNames.ReaderKey(program.Log, program.View.Name, "00000000"), new ReaderRecord(TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds() * 1_000).Encode()),
            _ => (LogNames.SourcePositionKey(first with { Partition = 1 }), PositionRecord.Start.Encode()),
        };
        await redis.StringSetAsync(key, value);
        var all = await KeysAsync(redis);
        var (code, said) = await SaidAsync("reset", "--old", "--yes");
        code.ShouldBe(CommandRunner.Usage, said);
        said.ShouldContain(why);
        said.ShouldContain($"{program.View.Name}@00000000");
        (await KeysAsync(redis)).ShouldBe(all);
    }

    [Fact]
    public async Task Reset_OldOfARolloutThatWorkersTookOverLongAgo_IsDeleted()
    {
        var (redis, program) = (await FillAsync(), Program(0));
        await redis.StringSetAsync(LogNames.BesideKey(program.Log, program.View.Name, "00000000"), new BesideRecord(4).Encode());
        await redis.StringSetAsync(LogNames.PositionKey(new PartitionId(program.Log, 0), program.View.Name, "00000000"), (PositionRecord.Start with { Epoch = 5 }).Encode());
        await redis.StringSetAsync(LogNames.ReaderKey(program.Log, program.View.Name, "00000000"), new ReaderRecord(0).Encode());
        (await RunAsync("reset", "--old", "--yes")).ShouldBe(0);
        (await KeysAsync(redis)).ShouldAllBe(k => !k.Contains("@00000000", StringComparison.Ordinal) || k.StartsWith("{another", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Reset_All_LeavesServicesOldVersionsAndStrangersAlone()
    {
        var redis = await FillAsync();
        (await RunAsync("reset", "--all", "--yes", "--force")).ShouldBe(0);
        var left = await KeysAsync(redis);
        left.ShouldAllBe(k => k.Contains("@00000000", StringComparison.Ordinal) || k.Contains("service.", StringComparison.Ordinal) || k == "mine" || IsAnew(k));
        left.Count(IsAnew).ShouldBe(
            LogNames.PartitionsOf(catalog, catalog.Sources).Count + catalog.Views.Sum(v => catalog.Source(v.Source).Partitions), "every position of every partition, whether the store had it or not");
    }

    [Fact]
    public async Task Reset_StoreHasNothing_SaysToBeginAnewAllTheSame()
    {
        var redis = (await RedisEndpoint.Of(server).ConnectAsync(TestContext.Current.CancellationToken)).GetDatabase();
        (await RunAsync("reset", "--all")).ShouldBe(0);
        (await KeysAsync(redis)).ShouldBeEmpty();
        (await RunAsync("reset", "--all", "--yes", "--force")).ShouldBe(0);
        var said = await KeysAsync(redis);
        said.ShouldContain(LogNames.AnewKey(LogNames.SourcePositionKey(new PartitionId("landings", 0))));
        said.ShouldAllBe(k => IsAnew(k));
    }

    [Theory]
    [InlineData("reset")]
    [InlineData("reset", "--all", "--old")]
    [InlineData("reset", "no_such_view")]
    [InlineData("reset", "--all", "--yes")]
    public async Task Reset_WithoutAClearOrder_IsRefused(params string[] arguments)
    {
        var redis = await FillAsync();
        var all = await KeysAsync(redis);
        (await RunAsync(arguments)).ShouldBe(CommandRunner.Usage);
        (await KeysAsync(redis)).ShouldBe(all);
    }

    [Fact]
    public void StoreKey_EveryKeyMaker_IsTakenApart()
    {
        var log = new PartitionId("a.by.b-c", 12);
        Parse(LogNames.StatePrefix(log, "v", "0123abcd") + "key}@/!pos").ShouldBe(new StoreKey(StoreKeyKind.State, log, "v", "0123abcd"));
        Parse(LogNames.StatePrefix(log, "v", "0123abcd")).ShouldBe(new StoreKey(StoreKeyKind.State, log, "v", "0123abcd"));
        Parse(LogNames.PositionKey(log, "v", "0123abcd")).ShouldBe(new StoreKey(StoreKeyKind.ViewPosition, log, "v", "0123abcd"));
        Parse(LogNames.SourcePositionKey(log)).ShouldBe(new StoreKey(StoreKeyKind.LogPosition, log, "", ""));
        Parse(LogNames.LedgerKey(log)).ShouldBe(new StoreKey(StoreKeyKind.Ledger, log, "", ""));
        Parse(LogNames.RoutesKey(log)).ShouldBe(new StoreKey(StoreKeyKind.Routes, log, "", ""));
        Parse(LogNames.TopicKey(log)).ShouldBe(new StoreKey(StoreKeyKind.Topic, log, "", ""));
        Parse(LogNames.AnewKey(LogNames.SourcePositionKey(log))).ShouldBe(new StoreKey(StoreKeyKind.Anew, log, "", ""));
        Parse(LogNames.AnewKey(LogNames.PositionKey(log, "v", "0123abcd"))).ShouldBe(new StoreKey(StoreKeyKind.Anew, log, "v", "0123abcd"));
        Parse(LogNames.BesideKey(log.Topic, "v", "0123abcd")).ShouldBe(new StoreKey(StoreKeyKind.Beside, log with { Partition = 0 }, "v", "0123abcd"));
        Parse(LogNames.ReaderKey(log.Topic, "v", "0123abcd")).ShouldBe(new StoreKey(StoreKeyKind.Reader, log with { Partition = 0 }, "v", "0123abcd"));
        Parse(LogNames.ServicePositionKey(log, "s.sink")).ShouldBe(new StoreKey(StoreKeyKind.ServicePosition, log, "", ""));
        foreach (var other in new[] { "", "mine", "{x}y", "{x/y}v@01234567/", "{x/1}v", "{x/1}v@0123/", "{/1}!ledger" })
            StoreKey.TryParse(other, out _).ShouldBeFalse(other);
    }

    public async ValueTask DisposeAsync()
    {
        await server.DisposeAsync();
        Directory.Delete(directory, recursive: true);
    }

    private static bool IsAnew(string key) => StoreKey.TryParse(key, out var parsed) && parsed.Kind == StoreKeyKind.Anew;

    private static StoreKey Parse(string key) => StoreKey.TryParse(key, out var parsed) ? parsed : throw new FormatException(key);

    private async Task<IDatabase> FillAsync()
    {
        var redis = (await RedisEndpoint.Of(server).ConnectAsync(TestContext.Current.CancellationToken)).GetDatabase();
        foreach (var program in catalog.Views.Select((_, i) => Program(i)))
        {
            var log = new PartitionId(program.Log, 1);
            foreach (var hash in new[] { program.Hash8, "00000000" })
            {
                await redis.StringSetAsync(LogNames.PositionKey(log, program.View.Name, hash), PositionRecord.Start.Encode());
                for (var i = 0; i < 20; i++)
                    await redis.StringSetAsync($"{LogNames.StatePrefix(log, program.View.Name, hash)}e{i}", "state");
            }

            foreach (var key in new[] { LogNames.SourcePositionKey(log), LogNames.LedgerKey(log), LogNames.RoutesKey(log), LogNames.ServicePositionKey(log, "s") })
                await redis.StringSetAsync(key, (PositionRecord.Start with { Epoch = 7 }).Encode());
        }

        await redis.StringSetAsync(LogNames.PositionKey(new PartitionId("another", 0), "v", "00000000"), PositionRecord.Start.Encode());
        await redis.StringSetAsync("mine", "not ours");
        return redis;
    }

    private static async Task<List<string>> KeysAsync(IDatabase redis)
    {
        var keys = new List<string>();
        await foreach (var key in redis.Multiplexer.GetServers()[0].KeysAsync())
            keys.Add(key!);
        return [.. keys.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)];
    }

    private async Task<(int Code, string Said)> SaidAsync(params string[] arguments)
    {
        var (error, said) = (Console.Error, new StringWriter());
        Console.SetError(said);
        try
        {
            return (await RunAsync(arguments), said.ToString());
        }
        finally
        {
            Console.SetError(error);
        }
    }

    private Task<int> RunAsync(params string[] arguments)
    {
        var root = new RootCommand();
        foreach (var command in CommandList.All())
            root.Subcommands.Add(command);
        return CommandRunner.RunAsync(root, [.. arguments, "--dir", directory, "--redis", server.Endpoint, "--catalog", Flights]);
    }
}
