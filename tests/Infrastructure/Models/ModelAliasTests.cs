using StreamMl.Infrastructure.Models;
using StreamMl.Shared.Models;

namespace StreamMl.Infrastructure.Tests.Models;

public sealed class ModelAliasTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task MoveAlias_TwoVersions_PointsToTheLastAndIsInTheJournal()
    {
        using var lab = new ModelLab();
        var (one, two) = (await lab.PublishAsync(), await lab.PublishAsync(seed: 8));
        (await lab.Store.MoveAliasAsync(one, "champion", new ChangeNote("ann", "first"))).ShouldBeNull();
        lab.Time.Advance(TimeSpan.FromMinutes(5));
        (await lab.Store.MoveAliasAsync(two, "champion", new ChangeNote("bob", "better"))).ShouldBe(one.Version);
        lab.Store.Resolve(ModelReference.Parse("late@champion")).ShouldBe(two);
        lab.Store.Journal("late")[^1].ShouldBe(new ModelChange(lab.Time.GetUtcNow(), "alias", two.Version, "champion", one.Version, "bob", "better"));
    }

    [Fact]
    public async Task MoveAliasIf_ItMovedMeanwhile_IsRefused()
    {
        using var lab = new ModelLab();
        var (one, two) = (await lab.PublishAsync(), await lab.PublishAsync(seed: 8));
        await lab.Store.MoveAliasIfAsync(one, "champion", "");
        await lab.Store.MoveAliasIfAsync(two, "champion", one.Version);
        (await Should.ThrowAsync<ModelException>(() => lab.Store.MoveAliasIfAsync(one, "champion", one.Version))).Message.ShouldContain("someone else moved it");
        (await Should.ThrowAsync<ModelException>(() => lab.Store.MoveAliasIfAsync(one, "champion", ""))).Message.ShouldContain("not to nothing");
        lab.Store.AliasOf("late", "champion").ShouldBe(two.Version);
    }

    [Fact]
    public async Task MoveAliasIf_ManyAtOnce_OneWins()
    {
        using var lab = new ModelLab();
        List<ModelVersion> rivals = [];
        for (var i = 0; i < 8; i++)
            rivals.Add(await lab.PublishAsync("rival", i));
        var store = new ModelStore(Path.GetDirectoryName(Path.GetDirectoryName(lab.FolderOf(rivals[0])))!, TimeProvider.System);
        var won = await Task.WhenAll(rivals.Select(r => Task.Run(async () =>
        {
            try
            {
                await store.MoveAliasIfAsync(r, "champion", "");
                return true;
            }
            catch (ModelException)
            {
                return false;
            }
        })));
        won.Count(w => w).ShouldBe(1);
        store.AliasOf("rival", "champion").ShouldBe(rivals[Array.IndexOf(won, true)].Version);
    }

    [Fact]
    public async Task MoveAlias_LockIsHeld_SaysWhoWaitsForWhat()
    {
        using var lab = new ModelLab();
        var version = await lab.PublishAsync();
        await using var held = new FileStream(Path.Combine(Path.GetDirectoryName(lab.FolderOf(version))!, ".lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        (await Should.ThrowAsync<TimeoutException>(() => lab.Store.MoveAliasAsync(version, "champion"))).Message.ShouldContain(".lock");
    }

    [Theory]
    [InlineData("0123456789abcdef")]
    [InlineData("../escape")]
    [InlineData("")]
    public async Task MoveAlias_BadName_IsRefused(string alias)
    {
        using var lab = new ModelLab();
        var version = await lab.PublishAsync();
        await Should.ThrowAsync<ModelException>(() => lab.Store.MoveAliasAsync(version, alias));
    }

    [Fact]
    public async Task Watch_AliasMoves_IsSeenWithinOneInterval()
    {
        using var lab = new ModelLab();
        var (one, two) = (await lab.PublishAsync(), await lab.PublishAsync(seed: 8));
        await using var watch = lab.Store.WatchAsync("late", "champion", Stop).GetAsyncEnumerator(Stop);
        (await watch.MoveNextAsync()).ShouldBeTrue();
        watch.Current.ShouldBeNull();
        foreach (var version in (ModelVersion[])[one, two])
        {
            var next = watch.MoveNextAsync();
            lab.Time.Advance(TimeSpan.FromSeconds(1));
            next.IsCompleted.ShouldBeFalse("nothing has moved");
            await lab.Store.MoveAliasAsync(version, "champion");
            lab.Time.Advance(TimeSpan.FromSeconds(1));
            (await next).ShouldBeTrue();
            watch.Current.ShouldBe(version.Version);
        }
    }

    [Fact]
    public async Task Resolve_FirstDigits_FindTheVersion()
    {
        using var lab = new ModelLab();
        var version = await lab.PublishAsync();
        lab.Store.Resolve(new ModelReference("late", version.Version[..6])).ShouldBe(version);
        Should.Throw<ModelException>(() => lab.Store.Resolve(new ModelReference("late", "canary"))).Message.ShouldContain(version.Version);
        Should.Throw<ModelException>(() => lab.Store.Resolve(new ModelReference("early", "champion"))).Message.ShouldContain("it has late");
    }

    [Fact]
    public async Task Delete_AliasedVersion_IsRefusedUntilTheAliasMoves()
    {
        using var lab = new ModelLab();
        var (one, two) = (await lab.PublishAsync(), await lab.PublishAsync(seed: 8));
        await lab.Store.MoveAliasAsync(one, "champion");
        (await Should.ThrowAsync<ModelException>(() => lab.Store.DeleteAsync(one))).Message.ShouldContain("champion");
        await lab.Store.MoveAliasAsync(two, "champion");
        await lab.Store.DeleteAsync(one);
        lab.Store.Versions("late").ShouldHaveSingleItem().Version.ShouldBe(two);
        Should.Throw<ModelException>(() => lab.Store.Open(one));
        lab.Store.Journal("late")[^1].What.ShouldBe("deleted");
    }

    [Fact]
    public async Task RemoveAlias_Then_ItPointsNowhere()
    {
        using var lab = new ModelLab();
        var version = await lab.PublishAsync();
        await lab.Store.MoveAliasAsync(version, "challenger");
        await lab.Store.RemoveAliasAsync("late", "challenger");
        await lab.Store.RemoveAliasAsync("late", "challenger");
        lab.Store.Aliases("late").ShouldBeEmpty();
    }
}
