using StreamMl.Infrastructure.Models;
using StreamMl.Shared.Models;

namespace StreamMl.Infrastructure.Tests.Models;

public sealed class ModelStoreTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Publish_SameContentTwice_IsOneVersion()
    {
        using var lab = new ModelLab();
        var first = await lab.PublishAsync();
        lab.Time.Advance(TimeSpan.FromHours(1));
        var second = await lab.PublishAsync();
        second.ShouldBe(first);
        lab.Store.Versions("late").ShouldHaveSingleItem().PublishedAt.ShouldBe(lab.Time.GetUtcNow() - TimeSpan.FromHours(1));
    }

    [Fact]
    public async Task Publish_OtherSeedOrModel_IsAnotherVersion()
    {
        using var lab = new ModelLab();
        ModelVersion[] versions = [await lab.PublishAsync(), await lab.PublishAsync(seed: 8), await lab.PublishAsync(model: "{ }")];
        versions.Distinct().Count().ShouldBe(3);
        lab.Store.Versions("late").Count.ShouldBe(3);
    }

    [Fact]
    public async Task Publish_WithoutGoldenRows_IsRefusedAndLeavesNothing()
    {
        using var lab = new ModelLab();
        string folder;
        using (var draft = lab.Store.Begin(ModelLab.Manifest()))
        {
            folder = draft.Directory;
            draft.Write(ModelFiles.Model, "{}"u8);
            (await Should.ThrowAsync<ModelException>(() => lab.Store.PublishAsync(draft))).Message.ShouldContain(ModelFiles.Golden);
        }

        Directory.Exists(folder).ShouldBeFalse();
        lab.Store.Versions("late").ShouldBeEmpty();
    }

    [Fact]
    public async Task Load_WholeModel_GivesWhatWasPublished()
    {
        using var lab = new ModelLab();
        var version = await lab.PublishAsync();
        await lab.Store.MoveAliasAsync(version, ModelNames.Champion);
        var folder = lab.Store.Load(ModelReference.Parse("late"), _ => "5e1f");
        folder.Version.ShouldBe(version);
        folder.Read(ModelFiles.Model).ShouldBe("{}"u8.ToArray());
        folder.Manifest.Lineage.ShouldBe(ModelLab.Manifest().Lineage);
        folder.RequireGolden(ModelLab.Score(2));
    }

    [Fact]
    public async Task Load_OneChangedByteInAnyFile_IsRefusedByName()
    {
        using var lab = new ModelLab();
        var version = await lab.PublishAsync();
        foreach (var file in Directory.GetFiles(lab.FolderOf(version)))
        {
            var bytes = await File.ReadAllBytesAsync(file, Stop);
            bytes[bytes.Length / 2] ^= 1;
            await File.WriteAllBytesAsync(file, bytes, Stop);
            Should.Throw<ModelException>(() => lab.Store.Load(new ModelReference("late", version.Version), _ => "5e1f")).Message.ShouldContain(Path.GetFileName(file));
            bytes[bytes.Length / 2] ^= 1;
            await File.WriteAllBytesAsync(file, bytes, Stop);
        }

        lab.Store.Load(new ModelReference("late", version.Version), _ => "5e1f").Version.ShouldBe(version);
    }

    [Fact]
    public async Task Load_MissingFile_IsRefusedByName()
    {
        using var lab = new ModelLab();
        var version = await lab.PublishAsync();
        File.Delete(Path.Combine(lab.FolderOf(version), ModelFiles.Golden));
        Should.Throw<ModelException>(() => lab.Store.Load(new ModelReference("late", version.Version), _ => "5e1f")).Message.ShouldContain("golden.arrow is missing");
    }

    [Theory]
    [InlineData("another", "was trained on definition 5e1f")]
    [InlineData(null, "the catalogue does not have")]
    public async Task Load_OtherDefinition_IsRefused(string? hash, string message)
    {
        using var lab = new ModelLab();
        var version = await lab.PublishAsync();
        Should.Throw<ModelException>(() => lab.Store.Load(new ModelReference("late", version.Version), _ => hash)).Message.ShouldContain(message);
    }

    [Theory]
    [InlineData(2 + 1e-5, true)]
    [InlineData(2 + 1e-6, false)]
    public async Task RequireGolden_ScoresDiffer_RefusesBeyondTheTolerance(double factor, bool refused)
    {
        using var lab = new ModelLab();
        var folder = lab.Store.Open(await lab.PublishAsync());
        if (refused)
            Should.Throw<ModelException>(() => folder.RequireGolden(ModelLab.Score(factor))).Message.ShouldContain("golden row");
        else
            folder.RequireGolden(ModelLab.Score(factor));
    }

    [Fact]
    public async Task RequireGolden_NumberWhereNaNWas_IsRefused()
    {
        using var lab = new ModelLab();
        var folder = lab.Store.Open(await lab.PublishAsync());
        Should.Throw<ModelException>(() => folder.RequireGolden((batch, scores) =>
        {
            ModelLab.Score(2)(batch, scores);
            scores[0] = 0;
        })).Message.ShouldContain("golden row 0 has score NaN");
    }

    [Fact]
    public void Golden_SavedAndLoaded_IsTheSame()
    {
        using var directory = new Archive.TempDirectory();
        var path = Path.Combine(directory.Path, "golden.arrow");
        var golden = ModelLab.Golden(2_500);
        golden.Save(path);
        var loaded = GoldenRows.Load(path);
        loaded.Scores.ShouldBe(golden.Scores);
        for (var i = 0; i < 2_500; i++)
        {
            loaded.Inputs.Columns[0].Valid[i].ShouldBe(golden.Inputs.Columns[0].Valid[i]);
            loaded.Inputs.Columns[0].Lanes[i].ShouldBe(golden.Inputs.Columns[0].Lanes[i]);
            loaded.Inputs.Arena.GetString(loaded.Inputs.Columns[1].Lanes[i]).ShouldBe(golden.Inputs.Arena.GetString(golden.Inputs.Columns[1].Lanes[i]));
        }
    }

    [Fact]
    public void Golden_Multiclass_KeepsClassesApart()
    {
        using var directory = new Archive.TempDirectory();
        var path = Path.Combine(directory.Path, "golden.arrow");
        double[] scores = [0.1, 0.2, 0.7, 0.3, 0.3, 0.4];
        new GoldenRows(ModelLab.Golden(2).Inputs, scores, 3).Save(path);
        var loaded = GoldenRows.Load(path);
        loaded.Width.ShouldBe(3);
        loaded.Scores.ShouldBe(scores);
        loaded.Compare((_, found) => scores.Select(s => s + (s == 0.4 ? 1 : 0)).ToArray().CopyTo(found)).ShouldBe(new GoldenDifference(1, 2, 0.4, 1.4));
    }
}
