using StreamMl.Infrastructure.Archive;
using StreamMl.Shared.Log;
using StreamMl.StreamFeatures.Logs;
using StreamMl.StreamFeatures.Tests.Lab;
using StreamMl.TestKit.Servers;
using static StreamMl.StreamFeatures.Tests.FeatureWorkerTests;

namespace StreamMl.StreamFeatures.Tests.Logs;

/// <summary>A topic that begins after offset 0, and a store that has no position there or one at 0, on a real Kafka: nothing is skipped in silence.</summary>
public sealed class LostBeginningTests(KafkaFixture kafka, RedisFixture redis)
{
    [Fact]
    public async Task Worker_PositionZeroIsInTheStoreAndTheTopicWasCut_ReportsTheLoss()
    {
        await using var lab = await CutLab.StartAsync(kafka, redis, "zero");
        await lab.ProduceAsync(0, 0);
        using (var host = lab.Worker())
        {
            await host.StartAsync(TestContext.Current.CancellationToken);
            await TestKit.Eventually.Until(() => HasPositionsAsync(lab), () => "not claimed");
            await host.StopAsync(TestContext.Current.CancellationToken);
        }

        (await lab.PositionsAsync()).ShouldAllBe(p => p.NextOffset == 0);
        await lab.ProduceAsync(0, 300);
        await lab.CutAsync(50, 40);

        var error = await lab.FaultAsync<LogLossException>();

        error.Losses.ShouldBe([Lost(lab, 0, 0, 50), Lost(lab, 1, 0, 40)]);
        error.Message.ShouldContain("offsets 0 to 49 (50)");
        (await lab.PositionsAsync()).ShouldAllBe(p => p.NextOffset == 0 && p.FromOffset == 0, "nothing was skipped");
    }

    [Fact]
    public async Task Worker_StoreIsEmptiedUnderItAndTheTopicWasCut_StopsWithTheExactExtentAndAtTheNextStartToo()
    {
        await using var lab = await CutLab.StartAsync(kafka, redis, "emptied");
        using var host = lab.Worker();
        await host.StartAsync(TestContext.Current.CancellationToken);
        await lab.ProduceAsync(0, 300);
        await lab.CountedAsync(300);
        var ends = await lab.EndsAsync();
        await lab.CutAsync(ends[0] - 20, ends[1] - 10);

        await lab.EmptyStoreAsync();

        LostRange[] lost = [Lost(lab, 0, 0, ends[0] - 20), Lost(lab, 1, 0, ends[1] - 10)];
        var error = await CutLab.FaultOfAsync<LogLossException>(host);
        error.Losses.ShouldBe(lost);
        error.Message.ShouldContain("streamml rebuild --all --yes");
        error.Message.ShouldContain("streamml reset --all --yes");
        (await lab.FaultAsync<LogLossException>()).Losses.ShouldBe(lost, "whoever restarts it is told as well: it is no new installation");
        (await lab.PositionsAsync()).ShouldAllBe(p => p.NextOffset == 0 && p.FromOffset == 0);
    }

    [Fact]
    public async Task Worker_NewOnACutTopic_ClaimsTheOffsetWhereItBeginsAndWritesItDown()
    {
        await using var lab = await CutLab.StartAsync(kafka, redis, "late", "aircraft_landed", "origin_landed");
        await lab.ProduceAsync(0, 300);
        await lab.CutAsync(50, 40);
        var left = (int)(await lab.EndsAsync()).Sum() - 90;

        await lab.WorkAsync(left);

        (await lab.PositionsAsync()).Select(p => p.FromOffset).ShouldBe([50, 40]);
        (await lab.PositionsAsync()).Select(p => p.NextOffset).ShouldBe(await lab.EndsAsync());
        await ShouldEqualStraightRunAsync(kafka.Endpoint, lab.Store, lab.Catalog);
        // A store that is emptied now is made again from where it had begun.
        using var host = lab.Worker();
        await host.StartAsync(TestContext.Current.CancellationToken);
        await lab.EmptyStoreAsync();
        await lab.CountedAsync(left);
        await host.StopAsync(TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task Worker_EmptyStoreOnACutTopicThatIsArchived_IsRefusedUntilItIsResetKnowingly()
    {
        await using var lab = await CutLab.StartAsync(kafka, redis, "archived");
        var directory = Directory.CreateTempSubdirectory("streamml-archive-").FullName;
        try
        {
            lab.Archive = directory;
            await lab.ProduceAsync(0, 300);
            await lab.CutAsync(50, 40);
            foreach (var partition in Parts(lab.Topic))
            {
                var file = new ArchiveLayout(directory).FilePath(partition, 0, 60);
                Directory.CreateDirectory(Path.GetDirectoryName(file)!);
                await File.WriteAllBytesAsync(file, [], TestContext.Current.CancellationToken);
            }

            (await lab.FaultAsync<LogLossException>()).Losses.ShouldBe([Lost(lab, 0, 0, 50), Lost(lab, 1, 0, 40)]);

            await lab.EmptyStoreAsync();
            foreach (var key in Parts(lab.Topic).SelectMany(LogPlan.Of(lab.Catalog)[0].PositionKeys))
                await lab.SetAsync(LogNames.AnewKey(key), [1]);
            await lab.WorkAsync((int)(await lab.EndsAsync()).Sum() - 90);
            (await lab.PositionsAsync()).Select(p => p.FromOffset).ShouldBe([50, 40]);
            (await ReadAsync(lab.Store, LogNames.AnewKey(LogNames.SourcePositionKey(new PartitionId(lab.Topic, 0))))).ShouldBeNull("it is said for one claim");
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    [Fact]
    public async Task Worker_OnePartitionsPositionsAreGoneAndTheTopicWasCut_ReportsTheLoss()
    {
        await using var lab = await CutLab.StartAsync(kafka, redis, "slot");
        await lab.ProduceAsync(0, 300);
        await lab.WorkAsync(300);
        await lab.CutAsync(50, 40);
        await lab.EmptyStoreAsync(partition: 1);

        (await lab.FaultAsync<LogLossException>()).Losses.ShouldBe([Lost(lab, 1, 0, 40)]);
    }

    private static LostRange Lost(CutLab lab, int partition, long from, long to) => new(new PartitionId(lab.Topic, partition), from, to);

    private static async Task<bool> HasPositionsAsync(CutLab lab)
    {
        foreach (var partition in Parts(lab.Topic))
        {
            if (await ReadAsync(lab.Store, LogNames.SourcePositionKey(partition)) is null)
                return false;
        }

        return true;
    }
}
