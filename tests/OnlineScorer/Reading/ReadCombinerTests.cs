using StreamMl.OnlineScorer.Reading;
using StreamMl.OnlineScorer.Tests.Triggers;
using StreamMl.TestKit;
using StreamMl.TestKit.Store;

namespace StreamMl.OnlineScorer.Tests.Reading;

public sealed class ReadCombinerTests
{
    private const long AsOfUs = ServingLab.StartUs + 60_000_000;
    private readonly InMemoryStateStore store = new();
    private readonly ServingLab lab;
    private readonly ServedService service;

    public ReadCombinerTests()
    {
        lab = new ServingLab(store);
        service = ServedService.Compile(lab.Catalog, lab.Catalog.Service("everything"));
    }

    [Fact]
    public async Task ReadAsync_ManyWhileOneIsUnderWay_GoTogetherAndAnswerAsAlone()
    {
        var stop = TestContext.Current.CancellationToken;
        for (var i = 0; i < 9; i++)
            lab.Apply(new Trip($"A{i % 4}", "LAX", i % 3, 5 + i, ServingLab.StartUs + i));
        await lab.CommitAsync();
        var held = new HeldStore(store);
        held.Hold();
        var combiner = new ReadCombiner(new FeatureReader(held, new()));
        var batches = Enumerable.Range(0, 8).Select(i => Batch(i)).ToList();
        var reads = batches.Select(b => combiner.ReadAsync(b, stop)).ToList();
        held.Begun.ShouldBe(1);
        held.Release(0);
        await Eventually.Until(() => held.Begun == 2, () => $"{held.Begun} reads have begun");
        held.Release(1);
        await Task.WhenAll(reads);
        held.Begun.ShouldBe(2);
        var alone = new FeatureReader(store, new());
        for (var i = 0; i < batches.Count; i++)
        {
            var expected = Batch(i);
            await alone.ReadAsync(expected, stop);
            ShouldBeSame(batches[i], expected);
        }
    }

    [Fact]
    public async Task ReadAsync_EnoughWaitWhileOneIsUnderWay_ASecondGoesBesideItAndNoThird()
    {
        var stop = TestContext.Current.CancellationToken;
        lab.Apply(new Trip("A1", "LAX", 1, 5, ServingLab.StartUs));
        await lab.CommitAsync();
        var held = new HeldStore(store);
        held.Hold();
        var combiner = new ReadCombiner(new FeatureReader(held, new()));
        var batches = Enumerable.Range(0, 30).Select(i => Batch(i % 9)).ToList();
        var reads = batches.Take(15).Select(b => combiner.ReadAsync(b, stop)).ToList();
        await Eventually.Until(() => held.Begun == 2, () => $"{held.Begun} reads have begun");
        reads.AddRange(batches.Skip(15).Select(b => combiner.ReadAsync(b, stop)));
        held.Begun.ShouldBe(2, "two round trips are enough");
        held.Release(1);
        await Eventually.Until(() => held.Begun == 3, () => $"{held.Begun} reads have begun");
        reads[0].IsCompleted.ShouldBeFalse("the first is still held");
        held.ReleaseAll();
        await Task.WhenAll(reads);
        var expected = Batch(14 % 9);
        await new FeatureReader(store, new()).ReadAsync(expected, stop);
        ShouldBeSame(batches[14], expected);
    }

    [Fact]
    public async Task ReadAsync_TheCommonReadFails_EveryCallerGetsItsOwnOutcome()
    {
        var stop = TestContext.Current.CancellationToken;
        lab.Apply(new Trip("A1", "LAX", 1, 5, ServingLab.StartUs));
        await lab.CommitAsync();
        var held = new HeldStore(store);
        held.Hold();
        var combiner = new ReadCombiner(new FeatureReader(held, new FeatureReaderOptions { MaxKeysPerRead = 100 }));
        var (first, good, tooLarge) = (Batch(0), Batch(1), Batch(2, requests: 60));
        var reads = new[] { first, good, tooLarge }.Select(b => combiner.ReadAsync(b, stop)).ToList();
        held.ReleaseAll();
        await reads[0];
        await reads[1];
        (await Should.ThrowAsync<ArgumentException>(() => reads[2])).Message.ShouldContain("the limit is 100");
        good.Answer(0, 0).NextOffset.ShouldBeGreaterThanOrEqualTo(0);
        await combiner.ReadAsync(Batch(3), stop); // and it goes on
    }

    private ReadBatch Batch(int i, int requests = 2)
    {
        var batch = new ReadBatch(service);
        for (var r = 0; r < requests; r++)
            batch.Add(i == 3 ? ReadBatch.LatestUs : AsOfUs + i, [.. service.Program.Keys.Select(k => k.Name switch { "origin" => r == 1 && i == 5 ? null : $"A{(i + r) % 5}", "dest" => requests > 2 ? $"D{r}" : "LAX", _ => "1" })]);
        return batch;
    }

    private void ShouldBeSame(ReadBatch actual, ReadBatch expected)
    {
        for (var request = 0; request < expected.Count; request++)
        {
            actual.AsOfUs(request).ShouldBe(expected.AsOfUs(request));
            actual.Row(request).Valid.ShouldBe(expected.Row(request).Valid);
            for (var column = 0; column < service.Program.Columns.Count; column++)
                actual.Row(request).Get(column, service.Program.Columns[column].Type).ShouldBe(expected.Row(request).Get(column, service.Program.Columns[column].Type));
            for (var view = 0; view < service.Views.Count; view++)
                actual.Answer(request, view).ShouldBe(expected.Answer(request, view));
        }
    }
}
