using StreamMl.ModelEngine;
using StreamMl.OnlineScorer.Catalogs;
using StreamMl.Shared.Events;
using StreamMl.Shared.Models;

namespace StreamMl.OnlineScorer.Tests.Scoring;

public sealed class ModelHostTests : IDisposable
{
    private readonly ModelLab lab = new(ServingLab.MakeCatalog());

    public void Dispose() => lab.Dispose();

    [Fact]
    public async Task Refresh_AliasMoves_ServesTheNewVersionAndKeepsTheOldUsable()
    {
        var first = await lab.PublishAsync(0, "champion");
        await lab.RefreshAsync();
        var old = lab.Host.Serving.Single();
        old.Model.Version.ShouldBe(first);
        var second = await lab.PublishAsync(1, "champion");
        await lab.RefreshAsync();
        lab.Host.Serving.Single().Model.Version.ShouldBe(second);
        old.Model.Code.NewScorer().ShouldNotBeNull();
        var same = lab.Host.Serving;
        await lab.RefreshAsync();
        lab.Host.Serving.ShouldBeSameAs(same); // nothing moved, nothing is loaded again
    }

    [Fact]
    public async Task Refresh_Challenger_ServesBesideTheChampion()
    {
        var champion = await lab.PublishAsync(0, "champion");
        var challenger = await lab.PublishAsync(1, "challenger");
        await lab.RefreshAsync();
        lab.Host.Serving.Select(s => (s.Variant, s.Model.Version)).ShouldBe([("champion", champion), ("challenger", challenger)]);
        lab.Host.Find(new ModelReference("late", "challenger"))!.Model.Version.ShouldBe(challenger);
        lab.Host.Find(new ModelReference("late", champion.Version))!.Variant.ShouldBe("champion");
        lab.Host.Find(new ModelReference("early", "champion")).ShouldBeNull();
        await lab.Store.RemoveAliasAsync("late", "challenger", cancellationToken: TestContext.Current.CancellationToken);
        await lab.RefreshAsync();
        lab.Host.Serving.Count.ShouldBe(1);
    }

    [Fact]
    public async Task Refresh_VersionIsRefused_TheOldOneServesOn()
    {
        var good = await lab.PublishAsync(0, "champion");
        await lab.RefreshAsync();
        var bad = await lab.PublishAsync(1, "champion", goldenError: 1e-5);
        await lab.RefreshAsync();
        lab.Host.Serving.Single().Model.Version.ShouldBe(good);
        var refusal = lab.Host.Refused.Single();
        refusal.Version.ShouldBe(bad.Version);
        refusal.Reason.ShouldContain("golden row 3");
        refusal.Reason.ShouldContain("limit 1E-06");
    }

    [Fact]
    public async Task Switch_ToADefinitionThatTheChampionWasNotTrainedOn_IsRefusedUntilOneIsPromoted()
    {
        var old = await lab.PublishAsync(0, "champion");
        await lab.RefreshAsync();
        var next = lab.Catalog with { Views = [.. lab.Catalog.Views.Select(v => v with { AllowedLateness = TimeSpan.FromMinutes(30) })] };
        var user = (ICatalogUser)lab.Host;
        for (var i = 0; i < 2; i++)
            (await Should.ThrowAsync<CatalogRefusedException>(() => user.PrepareAsync(next, TestContext.Current.CancellationToken))).Message.ShouldContain("streamml models promote");
        lab.Host.Serving.Single().Model.Version.ShouldBe(old);

        var trained = await lab.PublishAsync(1, "champion", serviceHash: Shared.Definitions.CanonicalForm.ServiceHash(next.Service("everything"), next));
        await lab.RefreshAsync();
        lab.Host.Serving.Single().Model.Version.ShouldBe(old, "the present definition is not the one that it was trained on");
        using (var change = await user.PrepareAsync(next, TestContext.Current.CancellationToken))
        {
            lab.Host.Serving.Single().Model.Version.ShouldBe(old);
            change.Make();
        }

        lab.Host.Serving.Single().Model.Version.ShouldBe(trained);
        await lab.RefreshAsync();
        lab.Host.Serving.Single().Model.Version.ShouldBe(trained);
        lab.Host.Refused.ShouldBeEmpty();
    }

    [Fact]
    public async Task Load_GoldenRowsWithinTheLimit_Serves()
    {
        var version = await lab.PublishAsync(0, goldenError: 9e-7);
        lab.Loader.Load(new ModelReference("late", version.Version)).Version.ShouldBe(version);
    }

    [Fact]
    public async Task Load_DamagedDocument_IsRefused()
    {
        var version = await lab.PublishAsync(0);
        var path = lab.PathOf(version, ModelFiles.Model);
        var bytes = await File.ReadAllBytesAsync(path, TestContext.Current.CancellationToken);
        bytes[^3] ^= 1;
        await File.WriteAllBytesAsync(path, bytes, TestContext.Current.CancellationToken);
        Should.Throw<ModelException>(() => lab.Loader.Load(new ModelReference("late", version.Version))).Message.ShouldContain("is damaged");
    }

    [Fact]
    public async Task Load_OtherDefinition_IsRefusedWithBothHashes()
    {
        var version = await lab.PublishAsync(0, serviceHash: new string('a', 64));
        var message = Should.Throw<ModelException>(() => lab.Loader.Load(new ModelReference("late", version.Version))).Message;
        message.ShouldContain("aaaaaaaaaaaa");
        message.ShouldContain("Train it again");
    }

    [Theory]
    [InlineData("by_origin.nope", FieldType.Int64, InputOrigin.Stored, "does not compute")]
    [InlineData("by_origin.count_1h", FieldType.Float64, InputOrigin.Stored, "computes it as Int64")]
    [InlineData("height", FieldType.Int64, InputOrigin.Request, "does not have; it has at, origin, dest")]
    [InlineData("number", FieldType.String, InputOrigin.Request, "has it as Int64")]
    public async Task Load_InputThatIsNotServed_SaysWhich(string name, FieldType type, InputOrigin origin, string expected)
    {
        var version = await lab.PublishAsync(0, inputs: [new(name, type, origin)]);
        Should.Throw<ModelException>(() => lab.Loader.Load(new ModelReference("late", version.Version))).Message.ShouldContain(expected);
    }
}
