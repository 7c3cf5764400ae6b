using System.Buffers;
using System.Text;
using CsCheck;
using StreamMl.OnlineScorer.Reading;
using StreamMl.Shared.Features;
using StreamMl.Shared.Log;
using StreamMl.Shared.Store;
using StreamMl.TestKit.Store;

namespace StreamMl.OnlineScorer.Tests.Reading;

public sealed class FeatureReaderTests
{
    private static readonly string?[] Places = ["JFK", "LGA", "EWR", "a|b", "a", "b\\", "", "žluť", null];

    internal static readonly Gen<Trip> Trips = Gen.Select(Gen.Int[0, 7], Gen.Int[0, 8], Gen.Long[-3, 3], Gen.Double[-10, 90], Gen.Long[0, 7_200])
        .Select((o, d, n, delay, s) => new Trip(Places[o]!, Places[d], n, delay > 60 ? null : delay, ServingLab.StartUs + (s * 1_000_000)));

    [Fact]
    public Task ReadAsync_AnyLogAndRequests_EqualsTheEngineInMemory() =>
        Gen.Select(Trips.Array[0, 40], Trips.Array[1, 12], Gen.Long[-100, 10_000]).SampleAsync(async (log, requests, second) =>
        {
            var lab = new ServingLab(new InMemoryStateStore());
            foreach (var trip in log)
                lab.Apply(trip);
            await lab.CommitAsync();
            foreach (var name in new[] { "everything", "picked" })
            {
                var batch = Batch(lab, name);
                foreach (var trip in requests)
                    Add(batch, trip, ServingLab.StartUs + (second * 1_000_000));
                await new FeatureReader(lab.Store, new()).ReadAsync(batch, TestContext.Current.CancellationToken);
                for (var i = 0; i < requests.Length; i++)
                    Verify(lab, batch, i);
            }
        }, iter: 60);

    [Fact]
    public async Task ReadAsync_SecondBatchInTheSameObject_IsAsFresh()
    {
        var lab = new ServingLab(new InMemoryStateStore());
        lab.Apply(new Trip("JFK", "LAX", 1, 5, ServingLab.StartUs));
        await lab.CommitAsync();
        var batch = Batch(lab, "everything");
        var reader = new FeatureReader(lab.Store, new());
        for (var round = 0; round < 3; round++)
        {
            batch.Clear();
            for (var i = 0; i < 20 * (round + 1); i++)
                batch.Add(ServingLab.StartUs + 1, i % 2 == 0 ? "JFK" : "EWR", i % 3 == 0 ? null : "LAX", i.ToString());
            await reader.ReadAsync(batch, TestContext.Current.CancellationToken);
            for (var i = 0; i < batch.Count; i++)
                Verify(lab, batch, i);
        }
    }

    [Fact]
    public async Task ReadAsync_NullKey_IsAllNullWithoutPosition()
    {
        var lab = new ServingLab(new InMemoryStateStore());
        lab.Apply(new Trip("JFK", "LAX", 1, 5, ServingLab.StartUs));
        await lab.CommitAsync();
        var batch = Batch(lab, "picked");
        batch.Add(ServingLab.StartUs, "LAX", null);
        await new FeatureReader(lab.Store, new()).ReadAsync(batch, TestContext.Current.CancellationToken);
        batch.Answer(0, 1).Partition.ShouldBe(ViewAnswer.NoPartition);
        batch.Answer(0, 1).NextOffset.ShouldBe(0);
        batch.Row(0).Get(1, Shared.Events.FieldType.Int64).ShouldBeNull();
        batch.Row(0).Get(0, Shared.Events.FieldType.String).ShouldBe("LAX");
    }

    [Fact]
    public async Task ReadAsync_Latest_IsTheGreatestWatermarkOfTheRequest()
    {
        var lab = new ServingLab(new InMemoryStateStore());
        lab.Apply(new Trip("JFK", "LAX", 1, 5, ServingLab.StartUs));
        lab.Apply(new Trip("LGA", "MIA", 2, 5, ServingLab.StartUs + 77));
        await lab.CommitAsync();
        var batch = Batch(lab, "everything");
        batch.Add(ReadBatch.LatestUs, "JFK", "LAX", "1");
        await new FeatureReader(lab.Store, new()).ReadAsync(batch, TestContext.Current.CancellationToken);
        batch.AsOfUs(0).ShouldBe(ServingLab.StartUs + 77); // the global entity has seen both
        batch.Answer(0, 0).AsOfUs.ShouldBe(batch.AsOfUs(0));
        batch.Answer(0, 0).AgeUs.ShouldBe(77);
    }

    [Fact]
    public async Task ReadAsync_ViewNeverRan_NamesViewDefinitionAndPartition()
    {
        var lab = new ServingLab(new InMemoryStateStore());
        var batch = Batch(lab, "picked");
        batch.Add(0, "LAX", "JFK");
        var error = await Should.ThrowAsync<ViewNotReadyException>(() => new FeatureReader(lab.Store, new()).ReadAsync(batch, TestContext.Current.CancellationToken));
        error.Message.ShouldContain("never ran");
        error.Message.ShouldContain(error.Hash8);
        error.Message.ShouldContain(error.View);
    }

    [Fact]
    public async Task ReadAsync_OtherDefinitionRuns_NamesBoth()
    {
        var running = new ServingLab(new InMemoryStateStore(), ServingLab.MakeCatalog(window: "2h"));
        await running.CommitAsync();
        var lab = new ServingLab(running.Store);
        var batch = Batch(lab, "picked");
        batch.Add(0, "LAX", "JFK");
        var reader = new FeatureReader(lab.Store, new(), new OneHash(running.Program("by_dest").Hash8));
        var error = await Should.ThrowAsync<ViewNotReadyException>(() => reader.ReadAsync(batch, TestContext.Current.CancellationToken));
        error.Message.ShouldContain(running.Program("by_dest").Hash8);
        error.Message.ShouldContain(lab.Program("by_dest").Hash8);
    }

    [Fact]
    public async Task ReadAsync_StoreAnswersKeyByKey_NeverMixesPositions()
    {
        var inner = new InMemoryStateStore();
        var lab = new ServingLab(inner, ServingLab.MakeCatalog(partitions: 1));
        lab.Apply(new Trip("JFK", "LAX", 1, 5, ServingLab.StartUs));
        await lab.CommitAsync();
        var torn = new KeyByKeyStore(inner);
        var reader = new FeatureReader(torn, new());
        for (var at = 0; at < 12; at++)
        {
            torn.BeforeKey = at;
            torn.Disturb = async () =>
            {
                torn.BeforeKey = -1;
                lab.Apply(new Trip("JFK", "LAX", 1, at, ServingLab.StartUs + at));
                await lab.CommitAsync();
            };
            var batch = Batch(lab, "everything");
            batch.Add(ServingLab.StartUs + 100, "JFK", "LAX", "1");
            await reader.ReadAsync(batch, TestContext.Current.CancellationToken);
            for (var view = 0; view < batch.Service.Views.Count; view++)
            {
                // one event per offset, all of them in the window: the count tells the state's prefix
                var column = batch.Service.Views[view].View.ServiceColumns[0];
                batch.Row(0).Lanes[column].ShouldBe(batch.Answer(0, view).NextOffset, $"disturbed before key {at}, view {view}");
            }
        }
    }

    [Fact]
    public async Task ReadAsync_CommitsNeverStop_GivesUpAndSaysSo()
    {
        var inner = new InMemoryStateStore();
        var lab = new ServingLab(inner, ServingLab.MakeCatalog(partitions: 1));
        await lab.CommitAsync();
        var torn = new KeyByKeyStore(inner) { BeforeKey = 3 };
        torn.Disturb = async () =>
        {
            lab.Apply(new Trip("JFK", "LAX", 1, 1, ServingLab.StartUs));
            await lab.CommitAsync();
        };
        var batch = Batch(lab, "everything");
        batch.Add(ServingLab.StartUs, "JFK", "LAX", "1");
        var error = await Should.ThrowAsync<TornReadException>(() => new FeatureReader(torn, new() { MaxTornReads = 3 }).ReadAsync(batch, TestContext.Current.CancellationToken));
        error.Message.ShouldContain("3 reads");
    }

    [Fact]
    public async Task ReadAsync_TooManyKeys_IsRefusedWithTheLimit()
    {
        var lab = new ServingLab(new InMemoryStateStore());
        var batch = Batch(lab, "everything");
        for (var i = 0; i < 100; i++)
            batch.Add(0, i.ToString(), i.ToString(), i.ToString());
        var error = await Should.ThrowAsync<ArgumentException>(() => new FeatureReader(lab.Store, new() { MaxKeysPerRead = 100 }).ReadAsync(batch, TestContext.Current.CancellationToken));
        error.Message.ShouldContain("limit is 100");
    }

    [Fact]
    public void Make_SameEntityManyTimes_AsksForItsStateOnce()
    {
        var lab = new ServingLab(new InMemoryStateStore());
        var batch = Batch(lab, "everything");
        for (var i = 0; i < 50; i++)
            batch.Add(i, "JFK", "LAX", "1");
        batch.Plan.Make(batch);
        batch.Plan.Keys.Count.ShouldBe(5 + (2 * 5));
    }

    private static ReadBatch Batch(ServingLab lab, string service) => new(ServedService.Compile(lab.Catalog, lab.Catalog.Service(service)));

    private static void Add(ReadBatch batch, Trip trip, long asOfUs) =>
        batch.Add(asOfUs, [.. batch.Service.Program.Keys.Select(k => k.Name switch { "origin" => trip.Origin, "dest" => trip.Dest, _ => trip.Number.ToString() })]);

    private static void Verify(ServingLab lab, ReadBatch batch, int request)
    {
        for (var v = 0; v < batch.Service.Views.Count; v++)
        {
            var view = batch.Service.Views[v];
            var texts = view.View.KeySlots.Select(s => batch.TryGetKey(request, s, out var text) ? Encoding.UTF8.GetString(text) : null).ToList();
            var answer = batch.Answer(request, v);
            var wide = new FeatureRow(view.View.Program.Outputs.Count);
            if (texts.Contains(null))
            {
                answer.Read.IsEmpty.ShouldBeTrue();
            }
            else
            {
                var key = EntityKey.FromTexts(texts!);
                answer.Partition.ShouldBe(KeyPartitioner.PartitionOf(key, view.Partitions));
                var (info, row, nextOffset) = lab.ReadInMemory(view.Name, answer.Partition, Encoding.UTF8.GetString(key), batch.AsOfUs(request));
                answer.Read.ShouldBe(info);
                answer.NextOffset.ShouldBe(nextOffset);
                wide = row;
            }

            var expected = new FeatureRow(batch.Service.Program.Columns.Count);
            view.View.Pick(wide, expected);
            foreach (var column in view.View.ServiceColumns)
                Canonical(batch, batch.Row(request), column).ShouldBe(Canonical(batch, expected, column), batch.Service.Program.Columns[column].FullName);
        }
    }

    private static byte[] Canonical(ReadBatch batch, FeatureRow row, int column)
    {
        var writer = new ArrayBufferWriter<byte>();
        row.WriteCanonical(column, 1, [batch.Service.Program.Columns[column]], writer);
        return writer.WrittenSpan.ToArray();
    }

    private sealed class OneHash(string hash) : IStoreDirectory
    {
        public Task<IReadOnlyList<string>> HashesOfAsync(PartitionId log, string view, CancellationToken cancellationToken) => Task.FromResult<IReadOnlyList<string>>([hash]);

        public Task<IReadOnlyList<byte[]>> EntitiesOfAsync(PartitionId log, string view, string viewHash8, int limit, CancellationToken cancellationToken) =>
            Task.FromResult<IReadOnlyList<byte[]>>([]);
    }

    /// <summary>Reads as Garnet does: each key at its own moment. Before one of them somebody commits.</summary>
    private sealed class KeyByKeyStore(InMemoryStateStore inner) : IStateStore
    {
        public int BeforeKey { get; set; } = -1;

        public Func<Task> Disturb { get; set; } = () => Task.CompletedTask;

        public Task<CommitResult> CommitAsync(StoreCommit commit, CancellationToken cancellationToken) => inner.CommitAsync(commit, cancellationToken);

        public async Task<StoreValues> ReadAsync(PackedBytes keys, CancellationToken cancellationToken)
        {
            var values = new StoreValues(keys.Count);
            for (var i = 0; i < keys.Count; i++)
            {
                if (i == BeforeKey)
                    await Disturb();
                var one = new PackedBytes();
                one.Add(keys[i]);
                using var value = await inner.ReadAsync(one, cancellationToken);
                if (value.Has(0))
                    value[0].CopyTo(values.Allocate(i, value[0].Length));
            }

            return values;
        }
    }
}
