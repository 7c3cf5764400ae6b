using StreamMl.Infrastructure.Models;
using StreamMl.Training.Configuration;
using StreamMl.Training.Data;
using StreamMl.Training.Jobs;
using StreamMl.Training.Tests.Leakage;
using StreamMl.Training.Tracking;

namespace StreamMl.Training.Tests.Jobs;

/// <summary>A run has all that is needed to run it again: the same model comes out, or it is said why it cannot.</summary>
public sealed class TrainingRerunTests : IDisposable
{
    private const string Config = """
        label: late
        seed: 3
        features: { exclude: [event_time, origin, plane, part] }
        trainer: { kind: lightgbm, trees: 10, leaves: 7 }
        variants:
          windows: { include: [origin.*] }
        """;

    private readonly string directory = Directory.CreateTempSubdirectory("streamml-").FullName;
    private readonly LeakLab lab = new(6_000);

    [Theory]
    [InlineData(Config, 7, null)]
    [InlineData(Config, 3, "windows")]
    [InlineData("label: late\nfeatures: { exclude: [event_time, origin, plane, part] }\ntrainer: { kind: lightgbm, trees: 5 }\nsearch: { method: random, trials: 3, budget: 1h, space: { leaves: [4, 8, 16] } }\n", 1, null)]
    public async Task Run_OfARegisteredModel_GivesTheSameVersion(string text, long seed, string? variant)
    {
        var first = await TrainAsync(text, seed, variant, "late");
        var result = await RerunAsync(first.RunId);
        result.IsSame.ShouldBeTrue();
        result.Warnings.ShouldBeEmpty();
        result.Again.Model.ShouldBe(first.Model);
        result.Again.RunId.ShouldNotBe(first.RunId);
        var (old, again) = (Load(first.RunId), Load(result.Again.RunId));
        again.Params.ShouldBe(old.Params);
        (again.Seed, again.Variant, again.DataManifestHash, again.ServiceHash).ShouldBe((seed, variant, old.DataManifestHash, old.ServiceHash));
        again.Tags[TrainingRerun.RerunOf].ShouldBe(old.Id);
        ModelStore.In(directory, TimeProvider.System).Versions("late").ShouldHaveSingleItem();
    }

    [Fact]
    public async Task Run_WithoutAModel_ComparesMetrics()
    {
        var first = await TrainAsync(Config, 3, null, null);
        var result = await RerunAsync(first.RunId);
        result.IsSame.ShouldBeTrue();
        result.Again.Model.ShouldBeNull();
    }

    [Fact]
    public async Task Run_OfARecordThatWasChanged_SaysThatAnotherModelCameOut()
    {
        var first = await TrainAsync(Config, 3, null, "late");
        await RunStore.In(directory, TimeProvider.System).Open(first.RunId).UpdateAsync(r => r with { Seed = 4 }, TestContext.Current.CancellationToken);
        var result = await RerunAsync(first.RunId);
        result.IsSame.ShouldBeFalse();
        result.Again.Model.ShouldNotBe(first.Model);
    }

    [Fact]
    public async Task Run_OnOtherData_IsRefused()
    {
        var first = await TrainAsync(Config, 3, null, null);
        lab.Rows[0].Label = !lab.Rows[0].Label;
        lab.Write();
        (await Should.ThrowAsync<TrackingException>(() => RerunAsync(first.RunId))).Message.ShouldContain("another one");
    }

    [Fact]
    public async Task Run_OnADamagedFile_IsRefused()
    {
        var first = await TrainAsync(Config, 3, null, null);
        var file = Path.Combine(lab.Write(), "part-00000.arrow");
        var bytes = await File.ReadAllBytesAsync(file, TestContext.Current.CancellationToken);
        bytes[^2_000] ^= 1;
        await File.WriteAllBytesAsync(file, bytes, TestContext.Current.CancellationToken);
        (await Should.ThrowAsync<TrainingException>(() => RerunAsync(first.RunId))).Message.ShouldContain("is not the file");
    }

    [Fact]
    public async Task Run_ThatDidNotFinish_IsRefused()
    {
        var run = RunStore.In(directory, TimeProvider.System).Start("flights");
        (await Should.ThrowAsync<TrackingException>(() => RerunAsync(run.Id))).Message.ShouldContain("it is running");
    }

    public void Dispose()
    {
        lab.Dispose();
        Directory.Delete(directory, recursive: true);
    }

    private async Task<TrackedResult> TrainAsync(string text, long seed, string? variant, string? register)
    {
        var (config, problems) = TrainConfigFile.Parse(text, "train.yaml");
        config.ShouldNotBeNull(string.Join('\n', problems));
        config = config with { Seed = seed };
        using var set = TrainingSet.Open(lab.Write());
        config = variant is null ? config : config.Of(config.Variants.Single(v => v.Name == variant));
        return await new TrackedTraining(TimeProvider.System, _ => { }).RunAsync(set, config, new TrackedOptions { Directory = directory, Register = register }, TestContext.Current.CancellationToken);
    }

    private Task<RerunResult> RerunAsync(string id) => new TrainingRerun(TimeProvider.System, _ => { }).RunAsync(directory, id, null, TestContext.Current.CancellationToken);

    private RunRecord Load(string id) => RunStore.In(directory, TimeProvider.System).Load(id).Record;
}
